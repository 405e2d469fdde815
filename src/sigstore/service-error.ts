import { OciPublishError, type ErrorContext } from '../errors.ts'

export interface ServiceRefusal {
  /** CERTIFICATE_FAILED, LOG_FAILED, TIMESTAMP_FAILED, ATTESTATION_FAILED. */
  readonly code: string
  readonly message: string
  readonly host: string
  /** 0 when there was no answer at all. */
  readonly status: number
  /** The service's own words, at most a few hundred characters. */
  readonly detail: string
  /** Whether the same request might succeed later. */
  readonly retriable: boolean
}

/** A service of sigstore, or GitHub's, refused or could not be reached. */
export class ServiceError extends OciPublishError implements Omit<ServiceRefusal, 'message'> {
  override readonly name = 'ServiceError'
  readonly host: string
  readonly status: number
  readonly detail: string
  readonly retriable: boolean

  constructor({ code, message, host, status, detail, retriable }: ServiceRefusal, options: ErrorContext = {}) {
    super(code, message, options)
    this.host = host
    this.status = status
    this.detail = detail
    this.retriable = retriable
  }
}
