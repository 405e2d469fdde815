import type { KeyObject } from 'node:crypto'
import type { BuildPlace } from '../attest/build-place.ts'
import type { Abortable } from '../async/abortable.ts'
import type { SigningMeans } from '../sign/means.ts'
import type { TrustedRoot } from '../sign/trusted-root.ts'
import type { SigningRequest } from './parse-signing.ts'

/** What GitHub keeps an attestation as. */
export interface StoredAttestation {
  readonly id: string
  /** Its page. */
  readonly url: string
}

/** What signing needs from outside; `wire.ts` builds it, and loads it when something is to be signed. */
export interface SigningDeps {
  /**
   * Opens what a request signs with: keys are read, keys of others asked for, and it is seen that there will be a
   * certificate.
   *
   * @throws {InputError} with all that is wrong with them
   */
  readonly openMeans: (request: SigningRequest, io: Abortable) => Promise<readonly SigningMeans[]>
  /** Where this run takes place, with the commits that it is of. */
  readonly buildPlace: (directory: string, io: Abortable) => Promise<BuildPlace>
  /** @throws {OciPublishError} with what the job's permissions lack */
  readonly storeAttestation: (bundle: Uint8Array, request: SigningRequest, io: Abortable) => Promise<StoredAttestation>
  /** A public key: PEM, a path, `env://NAME`, or that of a key of KMS. @throws {OciPublishError} INVALID_KEY; {InputError} */
  readonly readPublicKey: (key: string, io: Abortable) => Promise<KeyObject>
  /**
   * Whose certificates and log entries are believed: a file's, else that of the input `trusted-root`, else the public good
   * instance's.
   */
  readonly loadTrustedRoot: (file: string | undefined, io: Abortable) => Promise<TrustedRoot>
  /** Told every secret before anything could print it. */
  readonly onSecret: (secret: string) => void
  /** Where `env://NAME` is looked up. */
  readonly env: NodeJS.ProcessEnv
  /** Where bundles are written when the request does not say; undefined: nowhere. */
  readonly bundleFile: string | undefined
}
