// Who may import whom. Lint reads it (.dependency-cruiser.js), ARCHITECTURE.md explains it.
// A room may always import itself and the leaves; a leaf may import the leaves before it.
export const LEAVES = ['errors.ts', 'parse.ts', 'exec.ts', 'async']

const core = ['content', 'oci']

export const ROOMS = {
  oci: [], //                       the vocabulary: digest, descriptor, media type, manifest, index, config, platform, reference
  archive: [], //                   tar (header, pax, read, write), gzip in parallel blocks, zstd
  http: [], //                      transport bound to an origin: proxy, TLS, redirect, retry, gate, limits, redaction
  content: ['oci'], //              ports, blob, verify, memory store
  copy: core, //                    graph copy: plan, walk, events
  registry: ['http', ...core], //   adapter: endpoints, auth/, credentials/, upload/, profiles, hints
  layout: ['archive', ...core], //  adapter: OCI layout directory and tar
  cache: core, //                   adapter: a directory, saved and restored with @actions/cache
  layer: ['archive', ...core], //   layer line, walk, entries, base tree, reuse, build -> Blob
  image: ['layer', ...core], //     base, image plan, config, assemble, compose
  publish: ['image', 'layer', 'copy', ...core], // the use case; no adapter
  action: ['publish', 'copy', ...core], // inputs, outputs, log, summary
  cli: ['publish', 'copy', ...core], //    one file a command; display
  'wire.ts': ['registry', 'layout', 'cache', 'publish', 'copy', 'http', 'layer', 'image', ...core],
  'main.ts': ['action', 'publish', 'wire.ts'],
  'cli.ts': ['cli', 'publish', 'wire.ts'],
}

// A package belongs to a room; elsewhere it is forbidden. valibot is free, node:* too.
export const PACKAGES = {
  '@actions/core': ['action', 'main.ts'],
  '@actions/cache': ['cache'],
  '@actions/exec': ['exec.ts'],
  undici: ['http'],
  commander: ['cli', 'cli.ts'],
  tinyglobby: ['layer'],
  yaml: ['publish'],
}
