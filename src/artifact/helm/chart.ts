/** What stands in a Chart.yaml, with the strings that helm makes of it; what is empty is not there. */
export interface ChartMetadata {
  readonly name: string
  readonly home?: string
  readonly sources?: readonly string[]
  readonly version: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly maintainers?: readonly ChartMaintainer[]
  readonly icon?: string
  /** `v1` where the file does not say it. */
  readonly apiVersion: string
  readonly condition?: string
  readonly tags?: string
  readonly appVersion?: string
  readonly deprecated?: boolean
  readonly annotations?: Readonly<Record<string, string>>
  readonly kubeVersion?: string
  /** Of a chart with a requirements.yaml: those that stand there. */
  readonly dependencies?: readonly ChartDependency[]
  readonly type?: string
}

export interface ChartMaintainer {
  readonly name?: string
  readonly email?: string
  readonly url?: string
}

export interface ChartDependency {
  readonly name: string
  /** A range of versions; in a lock file one version. */
  readonly version?: string
  /** `oci://…`, `https://…`, `file://…`, `@alias`; empty for a chart that is kept in charts/. */
  readonly repository: string
  readonly condition?: string
  readonly tags?: readonly string[]
  readonly enabled?: boolean
  readonly importValues?: readonly unknown[]
  readonly alias?: string
}

export interface ChartFile {
  /** Relative to the chart, with `/`. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** A chart that was read and checked. Its files are in memory: helm reads no chart of more than 100 MiB. */
export interface Chart {
  readonly metadata: ChartMetadata
  /** Bytewise by path: what belongs into the package. */
  readonly files: readonly ChartFile[]
  /** Of a chart that came packaged: the package, word for word. */
  readonly archive: Uint8Array | undefined
  /** The .prov file that lay beside the package; it is of this package, by whom is not known yet. */
  readonly provenance: Uint8Array | undefined
  /** What helm takes, and the user should know; a sentence each. */
  readonly warnings: readonly string[]
}

/** What reading a chart brings to light, in the order in which it comes. */
export interface Findings {
  /** What makes helm refuse the chart. */
  readonly problems: string[]
  readonly warnings: string[]
}

/** The name that helm gives to the package, which a .prov file and `helm pull` count on. */
export function chartFileName({ name, version }: ChartMetadata): string {
  return `${name}-${version}.tgz`
}

/** The tag of a version, where `+` must not stand (helm, "Use OCI-based registries"). */
export function chartTag({ version }: ChartMetadata): string {
  return version.replaceAll('+', '_')
}
