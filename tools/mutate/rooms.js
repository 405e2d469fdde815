// The tests that run against the mutants of a room: its own, and a few of the rooms that use it. The whole suite would take
// hours. Each is the beginning of a path in __tests__.
const REGISTRY = ['registry/over-http', 'registry/push', 'registry/download', 'registry/refus', 'registry/endpoint']

export const ROOMS = {
  oci: ['oci', 'image', 'copy/copy.test', 'copy/select', 'layout/entries', 'layout/directory', 'registry/sha512'],
  image: ['image', 'publish/publish.', 'publish/verify-base', 'publish/foreign-base'],
  copy: ['copy', 'layout', 'cli/copy'],
  http: ['http', 'registry/over-http', 'registry/download', 'registry/advisories'],
  'registry/auth': ['registry/auth', 'registry/anonymous', 'registry/advisories', ...REGISTRY],
  'registry/upload': ['registry/upload', 'registry/advisories', 'registry/against-spec', ...REGISTRY],
  sign: ['sign', 'publish/signing.', 'publish/sign-existing', 'publish/notation', 'cli/verify', 'cli/sign'],
}
