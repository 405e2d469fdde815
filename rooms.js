// Who may import whom. Lint reads it (.dependency-cruiser.js), ARCHITECTURE.md explains it.
// A room may always import itself and the leaves; a leaf may import the leaves before it.
export const LEAVES = ['errors.ts', 'budget.ts', 'parse.ts', 'csv.ts', 'trim.ts', 'exec.ts', 'async', 'files']

const core = ['content', 'oci']

export const ROOMS = {
  oci: [], //                       the vocabulary: digest, descriptor, media type, manifest, index, config, platform, reference
  archive: [], //                   tar (header, pax, read, write), gzip in parallel blocks, zstd
  http: [], //                      transport bound to an origin: proxy, TLS, redirect, retry, gate, limits, redaction
  content: ['oci'], //              ports, blob, verify, memory store
  copy: core, //                    graph copy: plan, walk, events
  registry: ['http', ...core], //   adapter: endpoints, auth/, credentials/, upload/, profiles, hints
  cloud: ['registry', 'sign', 'http', ...core], // adapter: credentials of clouds, repositories that have to be made
  layout: ['archive', ...core], //  adapter: OCI layout directory and tar
  cache: core, //                   adapter: a directory, saved and restored with @actions/cache
  layer: ['archive', ...core], //   layer line, walk, entries, base tree, reuse, build -> Blob
  image: ['layer', ...core], //     base, image plan, config, assemble, compose
  artifact: ['archive', 'copy', ...core], // charts, files, WASM, models, SBOMs: compose, push, attach, discover, pull
  sign: ['artifact', 'copy', ...core], //  keys, statements, envelopes, bundles, signatures of the older form, Notation; verifying them
  attest: ['sign', ...core], //     what is stated of a publication: provenance, SBOMs, predicates of the user's own
  sigstore: ['sign', 'http', ...core], // adapter: Fulcio, Rekor, timestamps, trusted roots, GitHub's attestations
  publish: ['sign', 'attest', 'artifact', 'image', 'layer', 'copy', ...core], // the use case; no adapter
  metadata: ['oci'], //             names and times from the event that started the run
  tell: ['publish', 'sign', 'copy', ...core], //   what both doors say: results, failures, the job summary
  action: ['tell', 'publish', 'sign', 'metadata', 'copy', ...core], // inputs, outputs, log
  cli: ['tell', 'publish', 'artifact', 'sign', 'image', 'copy', ...core], // one file a command; display
  'version.ts': [],
  'process.ts': [],
  'wire-signing.ts': ['attest', 'sigstore', 'sign', 'cloud', 'metadata', 'publish', 'http', ...core],
  'wire.ts': [
    'version.ts',
    'wire-signing.ts',
    'registry',
    'cloud',
    'sigstore',
    'sign',
    'layout',
    'cache',
    'metadata',
    'publish',
    'copy',
    'http',
    ...core,
  ],
  'main.ts': ['action', 'publish', 'process.ts', 'wire.ts'],
  'cli-parts.ts': ['cli', 'publish', 'artifact', 'sign', 'copy', ...core, 'version.ts', 'wire.ts'],
  'cli.ts': ['cli', 'cli-parts.ts', 'process.ts'],
}

// A package belongs to a room; elsewhere it is forbidden. valibot is free, node:* too.
export const PACKAGES = {
  '@actions/core': ['action', 'main.ts'],
  '@actions/cache': ['cache'],
  '@aws-sdk': ['cloud'],
  '@sigstore/bundle': ['sign'],
  '@sigstore/core': ['sign'],
  '@sigstore/protobuf-specs': ['sign', 'sigstore'],
  '@sigstore/tuf': ['sigstore'],
  '@sigstore/verify': ['sign'],
  '@noble/ciphers': ['sign'],
  semver: ['artifact'],
  openpgp: ['artifact'],
  yazl: ['artifact'],
  yaml: ['artifact', 'publish', 'registry', 'action', 'cli'],
  '@cyclonedx': ['artifact'],
  'packageurl-js': ['artifact'],
  ajv: ['artifact'],
  commander: ['cli', 'cli.ts'],
}
