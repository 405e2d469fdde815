import type { Abortable } from '../async/abortable.ts'
import type { EcrHost } from './ecr-host.ts'

/** What a registry of ECR is shown. */
export interface EcrToken {
  /** `AWS:<password>`, in base64. */
  readonly authorization: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** How the images of a repository are encrypted where they are stored. */
interface Encryption {
  readonly type: 'AES256' | 'KMS' | 'KMS_DSSE'
  /** ARN, id or alias of a key of KMS; without one it is AWS's own. */
  readonly key: string | undefined
}

/** How a repository is made. Only of private registries: those of ECR Public have none of it. */
export interface RepositorySettings {
  readonly tagMutability: 'mutable' | 'immutable'
  readonly scanOnPush: boolean
  /** By default AES256, as with AWS. */
  readonly encryption?: Encryption | undefined
}

/** What is asked of the API of one registry. Errors are AWS's own; {@link awsFailure} puts them into words. */
export interface EcrApi {
  token(options: Abortable): Promise<EcrToken>
  hasRepository(name: string, options: Abortable): Promise<boolean>
  /** @returns false when it exists: somebody else was faster */
  createRepository(name: string, settings: RepositorySettings, options: Abortable): Promise<boolean>
  /** @param policy JSON text; undefined where registries have no such policy */
  readonly setLifecyclePolicy?: (name: string, policy: string, options: Abortable) => Promise<void>
  /** @param policy JSON text */
  setRepositoryPolicy(name: string, policy: string, options: Abortable): Promise<void>
}

/** Gives the API of a registry; what talks to AWS is loaded with the first one. */
export type OpenEcrApi = (ecr: EcrHost) => Promise<EcrApi>
