import { mayBeKey } from '../sign/key-or-path.ts'

/**
 * How the text of an input is read. `list`: newlines or commas part it. `lines`: newlines only, because the values hold
 * commas. In both, blank lines and lines that begin with `#` are passed over.
 */
type FieldKind = 'text' | 'list' | 'lines' | 'boolean' | 'number'

export interface Field {
  readonly name: string
  readonly kind: FieldKind
  readonly default?: string
  readonly choices?: readonly string[]
  /**
   * Never printed, and not a flag of the command line: read from the environment there. `unless-path`: a path, or env://NAME,
   * may stand in its place, which is no secret and may be a flag.
   */
  readonly secret?: boolean | 'unless-path'
  /** For action.yml, the README's table and `--help`. */
  readonly sentence: string
}

/** Everything a publication can be asked for: action.yml, the README's table and the CLI's flags are tested against it. */
export const FIELDS = [
  {
    name: 'images',
    kind: 'list',
    sentence: 'Repositories to publish to, several registries at once if you like; a tag may follow',
  },
  {
    name: 'tags',
    kind: 'list',
    sentence: 'Tags of every image, or full references; in the action, by default, the branch, tag or pull request',
  },
  { name: 'platforms', kind: 'list', default: 'linux/amd64', sentence: 'Platforms, such as linux/amd64,linux/arm64' },
  {
    name: 'base-image',
    kind: 'text',
    default: 'scratch',
    sentence: 'Image to build on: a reference, oci:DIR[:NAME], oci-archive:FILE[:NAME] or scratch',
  },
  {
    name: 'layers',
    kind: 'lines',
    sentence: 'A layer a line: SRC:DEST, or src=,dest=,owner=,mode=,exclude=,mtime=,follow-links= or from-tar=',
  },
  {
    name: 'files',
    kind: 'lines',
    sentence: 'Publishes an artifact instead of an image: a file or directory a line, PATH[:MEDIA-TYPE]',
  },
  {
    name: 'artifact-preset',
    kind: 'text',
    choices: ['modelpack', 'wasm', 'flux', 'opentofu'],
    sentence: 'Kind of artifact that the files are to be, where its readers want a form of their own',
  },
  { name: 'artifact-type', kind: 'text', sentence: 'What the artifact is, a media type' },
  {
    name: 'artifact-config',
    kind: 'text',
    sentence: 'Config of the artifact, PATH[:MEDIA-TYPE]; by default an empty one',
  },
  {
    name: 'artifact-model',
    kind: 'lines',
    sentence: 'What is said of a model, KEY=VALUE a line: name, family, version, format, paramSize, licenses, ...',
  },
  { name: 'context', kind: 'text', default: '.', sentence: 'Directory that sources are relative to' },
  {
    name: 'follow-links',
    kind: 'boolean',
    default: 'false',
    sentence: 'Allow sources that are or pass symlinks that lead out of context',
  },
  {
    name: 'entrypoint',
    kind: 'lines',
    sentence: 'Command words, a JSON array, or one word a line; resets cmd of the base',
  },
  { name: 'cmd', kind: 'lines', sentence: 'Default arguments, written as entrypoint is' },
  { name: 'workdir', kind: 'text', sentence: 'Working directory' },
  { name: 'envs', kind: 'lines', sentence: 'Environment, KEY=VALUE a line' },
  { name: 'user', kind: 'text', sentence: 'User that the program runs as' },
  { name: 'ports', kind: 'list', sentence: 'Exposed ports: 8080, 53/udp, 8000-8010' },
  { name: 'volumes', kind: 'list', sentence: 'Volumes, absolute paths' },
  { name: 'stop-signal', kind: 'text', sentence: 'Signal that stops the program' },
  { name: 'healthcheck', kind: 'text', sentence: 'As in a Dockerfile: [--interval=30s ...] CMD command, or NONE' },
  { name: 'labels', kind: 'lines', sentence: 'Labels of the image config, KEY=VALUE a line' },
  {
    name: 'annotations',
    kind: 'lines',
    sentence:
      '[LEVEL:]KEY=VALUE a line; LEVEL is index, manifest or manifest-descriptor, by default manifest and index',
  },
  {
    name: 'index',
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    sentence: 'Whether to make an image index: auto makes one for several platforms',
  },
  {
    name: 'types',
    kind: 'text',
    default: 'oci',
    choices: ['oci', 'docker'],
    sentence: 'Media types of what is published',
  },
  {
    name: 'compression',
    kind: 'text',
    default: 'gzip',
    choices: ['gzip', 'zstd', 'none'],
    sentence: 'Compression of new layers',
  },
  { name: 'compression-level', kind: 'number', sentence: 'gzip 1 to 9, zstd 1 to 19; by default a fast one' },
  {
    name: 'push',
    kind: 'boolean',
    default: 'true',
    sentence: 'Push to the registries; false writes an OCI layout instead',
  },
  {
    name: 'outputs',
    kind: 'lines',
    sentence: 'type=oci,dest=DIR writes an OCI layout, type=oci,dest=FILE,tar an archive that docker load reads too',
  },
  {
    name: 'on-existing-tag',
    kind: 'text',
    choices: ['overwrite', 'fail', 'skip'],
    sentence:
      'When a tag points at something else: move it, as is done with images, fail before anything is sent, as is done with charts, or leave it where it is',
  },
  {
    name: 'mount-from',
    kind: 'list',
    sentence: 'Repositories of the same host that may have the layers already, the likeliest first: mounted, not sent',
  },
  {
    name: 'upload',
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'monolithic', 'chunked'],
    sentence: 'How layers are sent: in one request and in pieces where that fails, always in one, or always in pieces',
  },
  {
    name: 'attach',
    kind: 'lines',
    sentence:
      'Files to attach to every platform of the image: PATH[:MEDIA-TYPE] a line; *.spdx.json and *.cdx.json are known',
  },
  {
    name: 'sbom',
    kind: 'boolean',
    default: 'false',
    sentence: 'Attach to every platform an SBOM (CycloneDX) of what is in it',
  },
  {
    name: 'chart',
    kind: 'text',
    sentence: 'Helm chart to publish, alone or after the image: a folder, packaged the same every time, or a .tgz',
  },
  { name: 'chart-version', kind: 'text', sentence: 'Version to write into the chart; its tag, too, with _ for +' },
  {
    name: 'chart-app-version',
    kind: 'text',
    sentence: 'appVersion to write into the chart; image-tag or image-digest for that of the image of this run',
  },
  {
    name: 'chart-values',
    kind: 'list',
    sentence: 'KEY=TEXT to write into values.yaml, such as image.tag={tag},image.digest={digest}; also {repository}',
  },
  {
    name: 'chart-repository',
    kind: 'list',
    sentence:
      "Repositories of the chart; by default those of images, each with the chart's name below it, as helm has it",
  },
  {
    name: 'chart-dependencies',
    kind: 'text',
    default: 'off',
    choices: ['off', 'build', 'update'],
    sentence: 'Fetch dependencies that charts/ lacks: as Chart.lock has chosen them, or the newest that fit',
  },
  {
    name: 'chart-strict',
    kind: 'boolean',
    default: 'false',
    sentence: 'Refuse a chart that helm takes with a warning',
  },
  {
    name: 'chart-large-files',
    kind: 'boolean',
    default: 'false',
    sentence: 'Take files of more than 5 MiB into a chart, which helm 4 reads and helm 3 does not',
  },
  {
    name: 'chart-sign-key',
    kind: 'text',
    secret: true,
    sentence: 'PGP key that signs the chart (.prov): a path, or an exported private key itself',
  },
  { name: 'chart-sign-passphrase', kind: 'text', secret: true, sentence: 'Passphrase of chart-sign-key' },
  {
    name: 'sign',
    kind: 'list',
    sentence:
      'Sign everything before its tags move: keyless, key (with sign-key), or a key of AWS KMS, awskms:///alias/NAME',
  },
  {
    name: 'sign-key',
    kind: 'text',
    secret: 'unless-path',
    sentence: "Private key for sign: a path, env://NAME or the key itself; cosign's encrypted form or PEM",
  },
  { name: 'sign-password', kind: 'text', secret: true, sentence: 'Password of sign-key' },
  {
    name: 'signature-format',
    kind: 'text',
    default: 'bundle',
    choices: ['bundle', 'legacy', 'both'],
    sentence:
      'Signatures and attestations as sigstore bundles that refer to what they are about, as older sha256-….sig and .att tags, or both',
  },
  {
    name: 'sign-annotations',
    kind: 'lines',
    sentence: 'KEY=VALUE a line that signatures carry and verifiers may ask for',
  },
  {
    name: 'provenance',
    kind: 'boolean',
    default: 'false',
    sentence: 'Attest how it was built: SLSA provenance v1, signed as sign says',
  },
  {
    name: 'predicate-type',
    kind: 'lines',
    sentence: "Type of a predicate of your own to attest: a URI, or one of cosign's names such as vuln or openvex",
  },
  { name: 'predicate-path', kind: 'lines', sentence: 'JSON file with the predicate, one for each predicate-type' },
  {
    name: 'sigstore',
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'public-good', 'github'],
    sentence:
      "Who certifies keyless signatures; auto is GitHub's own sigstore for private repositories, else the public one",
  },
  { name: 'fulcio-url', kind: 'text', sentence: 'Certificate authority of your own sigstore' },
  {
    name: 'rekor-url',
    kind: 'text',
    sentence: 'Transparency log of your own; with it, signatures by a key are logged too',
  },
  {
    name: 'rekor-version',
    kind: 'text',
    choices: ['1', '2'],
    default: '1',
    sentence: 'Version of the API of rekor-url',
  },
  { name: 'tsa-url', kind: 'text', sentence: 'Timestamp authority (RFC 3161), its whole address' },
  {
    name: 'signing-config',
    kind: 'text',
    sentence: 'File that names the services, as "cosign signing-config create" writes it',
  },
  {
    name: 'trusted-root',
    kind: 'text',
    sentence: 'File with the certificates and keys of your own sigstore, for verifying without the network',
  },
  {
    name: 'github-attestation',
    kind: 'boolean',
    default: 'false',
    sentence: 'Store attestations at GitHub too, where gh attestation verify finds them; needs attestations: write',
  },
  {
    name: 'bundle-file',
    kind: 'text',
    sentence: 'File that the sigstore bundles are written to, one a line; in the action by default a temporary one',
  },
  {
    name: 'notation-key',
    kind: 'text',
    secret: 'unless-path',
    sentence: 'Private key (PEM) for a signature of the Notary Project besides: a path, env://NAME or the key itself',
  },
  { name: 'notation-password', kind: 'text', secret: true, sentence: 'Password of notation-key' },
  {
    name: 'notation-chain',
    kind: 'text',
    sentence: 'Certificates for notation-key from the leaf to the root, PEM: a path, env://NAME or the text itself',
  },
  {
    name: 'verify-base',
    kind: 'lines',
    sentence:
      'Build only on a base image that is signed by one of these: key=cosign.pub, or identity=…,issuer=… (docs/verifying.md)',
  },
  { name: 'dry-run', kind: 'boolean', default: 'false', sentence: 'Say what would be sent and which tags would move' },
  { name: 'registry', kind: 'text', sentence: 'Host that username and password are for' },
  { name: 'username', kind: 'text', sentence: 'User name for registry' },
  { name: 'password', kind: 'text', secret: true, sentence: 'Password or token for registry' },
  {
    name: 'github-token',
    kind: 'text',
    secret: true,
    sentence: 'Token for ghcr.io where no other credentials are given',
  },
  {
    name: 'registry-auth',
    kind: 'text',
    secret: true,
    sentence: 'Credentials of several registries: a YAML list of registry, username and password',
  },
  {
    name: 'role-to-assume',
    kind: 'text',
    sentence: "ARN of the AWS role to push to ECR with; with id-token: write the job's own identity takes it on",
  },
  {
    name: 'aws-region',
    kind: 'text',
    sentence: 'Region to take on the role in where the registry names none, as ECR Public does not',
  },
  {
    name: 'ecr-create-repository',
    kind: 'boolean',
    default: 'false',
    sentence:
      'Create repositories of ECR that do not exist, with the settings below; those that exist stay as they are',
  },
  {
    name: 'ecr-tag-mutability',
    kind: 'text',
    default: 'mutable',
    choices: ['mutable', 'immutable'],
    sentence: 'Whether tags of a created repository may move (not ECR Public)',
  },
  {
    name: 'ecr-scan-on-push',
    kind: 'boolean',
    default: 'false',
    sentence: 'Have images of a created repository scanned when they are pushed (not ECR Public)',
  },
  {
    name: 'ecr-encryption',
    kind: 'text',
    default: 'AES256',
    choices: ['AES256', 'KMS', 'KMS_DSSE'],
    sentence: 'How a created repository encrypts its images (not ECR Public)',
  },
  { name: 'ecr-kms-key', kind: 'text', sentence: "Key of KMS for ecr-encryption, by its ARN; by default AWS's own" },
  {
    name: 'ecr-lifecycle-policy',
    kind: 'lines',
    sentence: 'Lifecycle policy of a created repository, a file or the JSON itself (not ECR Public)',
  },
  {
    name: 'ecr-repository-policy',
    kind: 'lines',
    sentence: 'Policy of a created repository, a file or the JSON itself',
  },
  { name: 'plain-http', kind: 'list', sentence: 'Hosts to talk to without TLS; loopback hosts need not be named' },
  {
    name: 'registry-profile',
    kind: 'lines',
    sentence: 'HOST=PROFILE a line, for hosts whose names do not tell what they are, such as harbor.example.com=harbor',
  },
  {
    name: 'cache',
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'off'],
    sentence:
      'Remember base trees and layers between runs that sign and verify nothing; losing the cache only costs time',
  },
  {
    name: 'cache-dir',
    kind: 'text',
    sentence: "Folder of the cache, by default one for each repository in the user's cache directory",
  },
  {
    name: 'source-date-epoch',
    kind: 'number',
    sentence: 'Seconds since 1970 for created and file times; by default SOURCE_DATE_EPOCH, else the commit time and 0',
  },
  { name: 'show-summary', kind: 'boolean', default: 'true', sentence: 'Write a job summary' },
] as const

export type FieldName = (typeof FIELDS)[number]['name']

/** What was typed, before anything is understood: absent and empty mean the default. */
export type FieldValues = Readonly<Partial<Record<FieldName, string | readonly string[]>>>

/** What was typed in a field, as entries by its kind. */
export function entriesOf(field: Field, value: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof value === 'string' ? [value] : (value ?? [])
  return texts
    .flatMap(text => text.split(/\r?\n/))
    .filter(line => !line.trimStart().startsWith('#'))
    .flatMap(line => (field.kind === 'list' ? line.split(',') : [line]))
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Whether a value of a field is a secret: where a path may stand, it is told from a key by its look. */
export function isSecret({ secret }: Field, value: string): boolean {
  return secret === 'unless-path' ? mayBeKey(value) : secret === true
}
