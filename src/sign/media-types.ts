/** Type of a sigstore bundle, as a referrer and as its blob (sigstore client specification, "OCI artifacts"). */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** Beginning of the types of bundles of every version. */
export const BUNDLE_TYPE_PREFIX = 'application/vnd.dev.sigstore.bundle'

/** Annotation of a bundle's manifest: what it states, so that a reader of a list of referrers knows without fetching it. */
export const BUNDLE_PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType'

/** Type of a signature of the Notary Project (signature-specification v1.1, "OCI Signature"). */
export const NOTATION_TYPE = 'application/vnd.cncf.notary.signature'

/** Of its envelope in JSON. */
export const JWS_TYPE = 'application/jose+json'
