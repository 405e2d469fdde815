/** An image in a registry, by a tag. */
export interface Place {
  readonly host: string
  readonly repository: string
  readonly tag: string
}

/** An image in an OCI layout. */
interface Layout {
  readonly path: string
  readonly tag: string
}

/** What a client is asked to do. */
export type Job =
  | { readonly do: 'push'; readonly layout: Layout; readonly target: Place }
  /** With `referrers`, what refers to the image comes along. */
  | { readonly do: 'copy'; readonly source: Place; readonly target: Place; readonly referrers?: boolean }
  | { readonly do: 'pull'; readonly source: Place; readonly layout: Layout }
  /** Attaches a text file to what the tag stands for. */
  | { readonly do: 'attach'; readonly target: Place; readonly file: string }
  /** Signs what the tag stands for with a private key, PEM in a file that no password protects. */
  | { readonly do: 'sign'; readonly target: Place; readonly key: string }

export interface RunOptions {
  /** Folder with docker's `config.json`, which has the credentials. */
  readonly config: string
  readonly signal: AbortSignal
}

/** How a client ended. */
export interface Ended {
  /** 0: it says that all is done. Undefined: it had to be stopped. */
  readonly exitCode: number | undefined
  /** What it wrote, standard error and all. */
  readonly output: string
}

/** A program under test. */
export interface Client {
  readonly name: string
  /** Undefined where it cannot do such a job. */
  run(job: Job, options: RunOptions): Promise<Ended | undefined>
}

export function referenceOf({ host, repository, tag }: Place): string {
  return `${host}/${repository}:${tag}`
}
