import type { Transport } from '../../http/transport.ts'

/** What the clients of AWS are made with. */
export interface AwsOptions {
  readonly transport: Transport
  /** AWS's own part of it is read by its clients, from the environment of the process. */
  readonly env: NodeJS.ProcessEnv
  /** ARN of the role that is taken on; by default whoever the environment says. */
  readonly roleToAssume?: string | undefined
  /** Where the role is taken on, for registries that do not name a region. */
  readonly region?: string | undefined
  /** Told every token before it is used. */
  readonly onSecret: (secret: string) => void
}
