import type { SigningDeps } from '../../src/publish/signing-deps.ts'

/** For publications that are not signed. */
export const noSigning: SigningDeps = {
  env: {},
  onSecret: () => undefined,
  bundleFile: undefined,
  openMeans: () => Promise.reject(new Error('nothing is to be signed')),
  buildPlace: () => Promise.reject(new Error('nothing is to be attested')),
  readPublicKey: () => Promise.reject(new Error('nothing is to be verified')),
  loadTrustedRoot: () => Promise.reject(new Error('nothing is to be verified')),
  storeAttestation: () => Promise.reject(new Error('nothing is to be stored')),
}
