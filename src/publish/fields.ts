import { mayBeKey } from '../sign/key-or-path.ts'

/**
 * How the text of an input is read. `list`: separated by newlines or commas. `lines`: separated by newlines only, because
 * the values may contain commas. In both, blank lines and lines that start with `#` are ignored.
 */
type FieldKind = 'text' | 'list' | 'lines' | 'boolean' | 'number'

export interface Field {
  readonly name: string
  readonly kind: FieldKind
  readonly default?: string
  readonly choices?: readonly string[]
  /**
   * Never printed, and not accepted as a command-line flag: the CLI reads it from the environment. `unless-path`: a path
   * or env://NAME is no secret, and may be a flag.
   */
  readonly secret?: boolean | 'unless-path'
  /** Shown in action.yml, docs/inputs.md and `--help`; starts with what the user gets. */
  readonly sentence: string
}

/**
 * Every input of a publication, grouped by what people do. action.yml, docs/inputs.md and the flags of the command line are
 * tested against this list.
 */
export const FIELD_GROUPS = [
  {
    title: 'Destination',
    fields: [
      {
        name: 'images',
        kind: 'list',
        sentence: 'Repositories to publish to, in one or more registries. An entry may end in a tag',
      },
      {
        name: 'tags',
        kind: 'list',
        sentence: 'Tags for every image, or full references. Default in the action: the branch, tag or pull request',
      },
      {
        name: 'push',
        kind: 'boolean',
        default: 'true',
        sentence: 'Push to the registries. If false, an OCI layout is written instead',
      },
      {
        name: 'outputs',
        kind: 'lines',
        sentence:
          'Also write the image to disk: type=oci,dest=DIR (OCI layout) or type=oci,dest=FILE,tar (archive for docker load)',
      },
      {
        name: 'on-existing-tag',
        kind: 'text',
        choices: ['overwrite', 'fail', 'skip'],
        sentence:
          'If the tag exists with other content: overwrite (default for images), fail (default for charts) or skip',
      },
      {
        name: 'dry-run',
        kind: 'boolean',
        default: 'false',
        sentence: 'Show what would be uploaded and which tags would move, without publishing',
      },
    ],
  },
  {
    title: 'Image',
    fields: [
      {
        name: 'platforms',
        kind: 'list',
        default: 'linux/amd64',
        sentence: 'Platforms to build, such as linux/amd64,linux/arm64',
      },
      {
        name: 'base-image',
        kind: 'text',
        default: 'scratch',
        sentence: 'Base image: a reference, oci:DIR[:NAME], oci-archive:FILE[:NAME] or scratch',
      },
      {
        name: 'layers',
        kind: 'lines',
        sentence:
          'Layers to add, one per line: SRC:DEST, or src=,dest=,owner=,mode=,exclude=,mtime=,follow-links= or from-tar=',
      },
      { name: 'context', kind: 'text', default: '.', sentence: 'Directory that source paths are relative to' },
      {
        name: 'follow-links',
        kind: 'boolean',
        default: 'false',
        sentence: 'Allow source paths whose symlinks lead outside of the context',
      },
      {
        name: 'entrypoint',
        kind: 'lines',
        sentence: 'Entrypoint: words, a JSON array, or one word per line. Resets the cmd of the base image',
      },
      { name: 'cmd', kind: 'lines', sentence: 'Default arguments, in the same form as entrypoint' },
      { name: 'workdir', kind: 'text', sentence: 'Working directory' },
      { name: 'envs', kind: 'lines', sentence: 'Environment variables, one KEY=VALUE per line' },
      { name: 'user', kind: 'text', sentence: 'User that the process runs as' },
      { name: 'ports', kind: 'list', sentence: 'Ports to expose, such as 8080, 53/udp or 8000-8010' },
      { name: 'volumes', kind: 'list', sentence: 'Volumes, as absolute paths' },
      { name: 'stop-signal', kind: 'text', sentence: 'Signal that stops the container' },
      {
        name: 'healthcheck',
        kind: 'text',
        sentence: 'Health check in Dockerfile syntax: [--interval=30s ...] CMD command, or NONE',
      },
      { name: 'labels', kind: 'lines', sentence: 'Labels of the image config, one KEY=VALUE per line' },
      {
        name: 'annotations',
        kind: 'lines',
        sentence:
          'Annotations, one [LEVEL:]KEY=VALUE per line. LEVEL is index, manifest or manifest-descriptor; default: manifest and index',
      },
      {
        name: 'index',
        kind: 'text',
        default: 'auto',
        choices: ['auto', 'always', 'never'],
        sentence: 'Whether to publish an image index. auto creates one for two or more platforms',
      },
      {
        name: 'types',
        kind: 'text',
        default: 'oci',
        choices: ['oci', 'docker'],
        sentence: 'Media types of manifests, configs and layers',
      },
      {
        name: 'compression',
        kind: 'text',
        default: 'gzip',
        choices: ['gzip', 'zstd', 'none'],
        sentence: 'Compression of new layers',
      },
      { name: 'compression-level', kind: 'number', sentence: 'gzip 1 to 9, zstd 1 to 19. Default: a fast level' },
      {
        name: 'source-date-epoch',
        kind: 'number',
        sentence:
          'Seconds since 1970 for created and for file times. Default: SOURCE_DATE_EPOCH, else the commit time and 0',
      },
      {
        name: 'verify-base',
        kind: 'lines',
        sentence:
          'Require a signature on the base image, one policy per line: key=cosign.pub, or identity=…,issuer=… (docs/verifying.md)',
      },
    ],
  },
  {
    title: 'Artifact',
    fields: [
      {
        name: 'files',
        kind: 'lines',
        sentence: 'Publish files as an artifact instead of an image: one file or directory per line, PATH[:MEDIA-TYPE]',
      },
      {
        name: 'artifact-preset',
        kind: 'text',
        choices: ['modelpack', 'wasm', 'flux', 'opentofu'],
        sentence: 'Artifact format expected by a specific consumer',
      },
      { name: 'artifact-type', kind: 'text', sentence: 'Type of the artifact, as a media type' },
      {
        name: 'artifact-config',
        kind: 'text',
        sentence: 'Config of the artifact, PATH[:MEDIA-TYPE]. Default: the empty config',
      },
      {
        name: 'artifact-model',
        kind: 'lines',
        sentence:
          'Model metadata, one KEY=VALUE per line: name, family, version, format, paramSize, licenses and others',
      },
    ],
  },
  {
    title: 'Helm chart',
    fields: [
      {
        name: 'chart',
        kind: 'text',
        sentence: 'Helm chart to publish, alone or together with the image: a directory or a .tgz package',
      },
      {
        name: 'chart-version',
        kind: 'text',
        sentence: 'Version to write into the chart. It is also the tag, with _ instead of +',
      },
      {
        name: 'chart-app-version',
        kind: 'text',
        sentence: 'appVersion to write into the chart; image-tag or image-digest takes it from the image of this run',
      },
      {
        name: 'chart-values',
        kind: 'list',
        sentence:
          'KEY=TEXT to write into values.yaml, such as image.tag={tag},image.digest={digest}; {repository} works too',
      },
      {
        name: 'chart-repository',
        kind: 'list',
        sentence: 'Repositories for the chart. Default: those of images. The chart name is appended, as helm push does',
      },
      {
        name: 'chart-dependencies',
        kind: 'text',
        default: 'off',
        choices: ['off', 'build', 'update'],
        sentence: 'Download missing chart dependencies: build uses Chart.lock, update the newest matching versions',
      },
      {
        name: 'chart-strict',
        kind: 'boolean',
        default: 'false',
        sentence: 'Fail on problems that helm only warns about',
      },
      {
        name: 'chart-large-files',
        kind: 'boolean',
        default: 'false',
        sentence: 'Allow files over 5 MiB in a chart. helm 4 reads them, helm 3 does not',
      },
      {
        name: 'chart-sign-key',
        kind: 'text',
        secret: true,
        sentence: 'PGP key to sign the chart with (.prov file): a path or an exported private key',
      },
      { name: 'chart-sign-passphrase', kind: 'text', secret: true, sentence: 'Passphrase of chart-sign-key' },
    ],
  },
  {
    title: 'SBOMs and attached files',
    fields: [
      {
        name: 'attach',
        kind: 'lines',
        sentence:
          'Files to attach to every platform, one PATH[:MEDIA-TYPE] per line. *.spdx.json and *.cdx.json are recognized',
      },
      {
        name: 'sbom',
        kind: 'boolean',
        default: 'false',
        sentence: 'Generate a CycloneDX SBOM for every platform and attach it',
      },
    ],
  },
  {
    title: 'Signatures and attestations',
    fields: [
      {
        name: 'sign',
        kind: 'list',
        sentence: 'Sign before tags move: keyless, key (with sign-key), or an AWS KMS key such as awskms:///alias/NAME',
      },
      {
        name: 'sign-key',
        kind: 'text',
        secret: 'unless-path',
        sentence: 'Private key for sign: a path, env://NAME or the key itself; encrypted cosign key or PEM',
      },
      { name: 'sign-password', kind: 'text', secret: true, sentence: 'Password of sign-key' },
      {
        name: 'signature-format',
        kind: 'text',
        default: 'bundle',
        choices: ['bundle', 'legacy', 'both'],
        sentence:
          "Store signatures as sigstore bundles (referrers), in cosign's tag scheme (sha256-….sig and .att), or both",
      },
      {
        name: 'sign-annotations',
        kind: 'lines',
        sentence: 'Annotations to include in signatures, one KEY=VALUE per line. Verifiers can require them',
      },
      {
        name: 'provenance',
        kind: 'boolean',
        default: 'false',
        sentence: 'Attest the build as SLSA provenance v1. Requires sign',
      },
      {
        name: 'predicate-type',
        kind: 'lines',
        sentence: 'Type of an additional predicate to attest: a URI, or a cosign name such as vuln or openvex',
      },
      { name: 'predicate-path', kind: 'lines', sentence: 'JSON file with the predicate, one for each predicate-type' },
      {
        name: 'sigstore',
        kind: 'text',
        default: 'auto',
        choices: ['auto', 'public-good', 'github'],
        sentence:
          "Sigstore instance for keyless signing. auto uses GitHub's for private repositories, else the public one",
      },
      { name: 'fulcio-url', kind: 'text', sentence: 'URL of your own Fulcio certificate authority' },
      {
        name: 'rekor-url',
        kind: 'text',
        sentence: 'URL of your own Rekor transparency log. If set, signatures by a key are logged too',
      },
      { name: 'rekor-version', kind: 'text', default: '1', choices: ['1', '2'], sentence: 'API version of rekor-url' },
      { name: 'tsa-url', kind: 'text', sentence: 'Full URL of an RFC 3161 timestamp authority' },
      {
        name: 'signing-config',
        kind: 'text',
        sentence: 'File that lists the sigstore services, as written by cosign signing-config create',
      },
      {
        name: 'trusted-root',
        kind: 'text',
        sentence: 'File with the certificates and keys of your own sigstore, used to verify signatures',
      },
      {
        name: 'github-attestation',
        kind: 'boolean',
        default: 'false',
        sentence: 'Also store attestations on GitHub, for gh attestation verify. Requires attestations: write',
      },
      {
        name: 'bundle-file',
        kind: 'text',
        sentence: 'File to write the sigstore bundles to, one per line. Default in the action: a temporary file',
      },
      {
        name: 'notation-key',
        kind: 'text',
        secret: 'unless-path',
        sentence: 'Private key (PEM) for an additional Notary Project signature: a path, env://NAME or the key itself',
      },
      { name: 'notation-password', kind: 'text', secret: true, sentence: 'Password of notation-key' },
      {
        name: 'notation-chain',
        kind: 'text',
        sentence: 'Certificate chain of notation-key in PEM, leaf first: a path, env://NAME or the text itself',
      },
    ],
  },
  {
    title: 'Registry access',
    fields: [
      { name: 'registry', kind: 'text', sentence: 'Registry that username and password are for' },
      { name: 'username', kind: 'text', sentence: 'Username for registry' },
      { name: 'password', kind: 'text', secret: true, sentence: 'Password or token for registry' },
      {
        name: 'github-token',
        kind: 'text',
        secret: true,
        sentence: 'Token for ghcr.io, used if no other credentials are set',
      },
      {
        name: 'registry-auth',
        kind: 'text',
        secret: true,
        sentence: 'Credentials for several registries: a YAML list of registry, username and password',
      },
      {
        name: 'plain-http',
        kind: 'list',
        sentence: 'Hosts to access over plain HTTP. Loopback hosts do not need to be listed',
      },
      {
        name: 'registry-profile',
        kind: 'lines',
        sentence:
          'Registry software of a host that its name does not reveal, one HOST=PROFILE per line, such as harbor.example.com=harbor',
      },
      {
        name: 'mount-from',
        kind: 'list',
        sentence:
          'Repositories on the same host that may already have the layers, most likely first. Layers found there are mounted',
      },
      {
        name: 'upload',
        kind: 'text',
        default: 'auto',
        choices: ['auto', 'monolithic', 'chunked'],
        sentence:
          'How to upload layers: monolithic (one request), chunked (in pieces), or auto (one request, pieces if that fails)',
      },
    ],
  },
  {
    title: 'Amazon ECR',
    fields: [
      {
        name: 'role-to-assume',
        kind: 'text',
        sentence: "ARN of the AWS role for ECR, assumed with the job's OIDC token. Requires id-token: write",
      },
      {
        name: 'aws-region',
        kind: 'text',
        sentence: 'AWS region used to assume the role when the hostname has none (ECR Public)',
      },
      {
        name: 'ecr-create-repository',
        kind: 'boolean',
        default: 'false',
        sentence: 'Create missing ECR repositories with the settings below. Existing repositories are not changed',
      },
      {
        name: 'ecr-tag-mutability',
        kind: 'text',
        default: 'mutable',
        choices: ['mutable', 'immutable'],
        sentence: 'Tag mutability of created repositories (not ECR Public)',
      },
      {
        name: 'ecr-scan-on-push',
        kind: 'boolean',
        default: 'false',
        sentence: 'Scan images of created repositories on push (not ECR Public)',
      },
      {
        name: 'ecr-encryption',
        kind: 'text',
        default: 'AES256',
        choices: ['AES256', 'KMS', 'KMS_DSSE'],
        sentence: 'Encryption of created repositories (not ECR Public)',
      },
      {
        name: 'ecr-kms-key',
        kind: 'text',
        sentence: 'ARN of the KMS key for ecr-encryption. Default: the AWS managed key',
      },
      {
        name: 'ecr-lifecycle-policy',
        kind: 'lines',
        sentence: 'Lifecycle policy of created repositories: a file or the JSON itself (not ECR Public)',
      },
      {
        name: 'ecr-repository-policy',
        kind: 'lines',
        sentence: 'Repository policy of created repositories: a file or the JSON itself',
      },
    ],
  },
  {
    title: 'Cache and summary',
    fields: [
      {
        name: 'cache',
        kind: 'text',
        default: 'auto',
        choices: ['auto', 'off'],
        sentence:
          'Cache base image file trees and layer digests between runs. Not used when something is signed, attested or verified',
      },
      {
        name: 'cache-dir',
        kind: 'text',
        sentence: "Cache directory. Default: a directory for each repository in the user's cache directory",
      },
      { name: 'show-summary', kind: 'boolean', default: 'true', sentence: 'Write a job summary' },
    ],
  },
] as const

export type FieldName = (typeof FIELD_GROUPS)[number]['fields'][number]['name']

/** The same as one list, in the same order. */
export const FIELDS: readonly (Field & { readonly name: FieldName })[] = FIELD_GROUPS.flatMap(
  ({ fields }): readonly (Field & { readonly name: FieldName })[] => fields,
)

/** Values as typed, not parsed yet. Absent and empty mean the default. */
export type FieldValues = Readonly<Partial<Record<FieldName, string | readonly string[]>>>

/** Splits the value of a field into entries, according to its kind. */
export function entriesOf(field: Field, value: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof value === 'string' ? [value] : (value ?? [])
  return texts
    .flatMap(text => text.split(/\r?\n/))
    .filter(line => !line.trimStart().startsWith('#'))
    .flatMap(line => (field.kind === 'list' ? line.split(',') : [line]))
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Whether a value of a field is a secret. A field that also accepts a path is judged by what the value looks like. */
export function isSecret({ secret }: Field, value: string): boolean {
  return secret === 'unless-path' ? mayBeKey(value) : secret === true
}
