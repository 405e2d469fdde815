import { FIELDS, type FieldName } from '../../src/publish/fields.ts'
import { shownInputs } from '../../src/publish/shown-inputs.ts'

/** Fields that a provenance keeps to itself, with the reason; every other field has to be shown. */
const KEPT: Readonly<
  Record<string, 'secret' | 'who asks' | 'how it is sent' | 'what hangs on it' | 'what is checked' | 'what is told'>
> = {
  push: 'how it is sent',
  outputs: 'how it is sent',
  'on-existing-tag': 'how it is sent',
  'mount-from': 'how it is sent',
  upload: 'how it is sent',
  'dry-run': 'how it is sent',
  'plain-http': 'how it is sent',
  'registry-profile': 'how it is sent',
  cache: 'how it is sent',
  'cache-dir': 'how it is sent',
  'ecr-create-repository': 'how it is sent',
  'ecr-tag-mutability': 'how it is sent',
  'ecr-scan-on-push': 'how it is sent',
  'ecr-encryption': 'how it is sent',
  'ecr-kms-key': 'how it is sent',
  'ecr-lifecycle-policy': 'how it is sent',
  'ecr-repository-policy': 'how it is sent',
  registry: 'who asks',
  username: 'who asks',
  password: 'secret',
  'github-token': 'secret',
  'registry-auth': 'secret',
  'role-to-assume': 'who asks',
  'aws-region': 'who asks',
  'chart-sign-key': 'secret',
  'chart-sign-passphrase': 'secret',
  attach: 'what hangs on it',
  sbom: 'what hangs on it',
  provenance: 'what hangs on it',
  'predicate-type': 'what hangs on it',
  'predicate-path': 'what hangs on it',
  sign: 'what hangs on it',
  'sign-key': 'secret',
  'sign-password': 'secret',
  'signature-format': 'what hangs on it',
  'sign-annotations': 'what hangs on it',
  sigstore: 'what hangs on it',
  'fulcio-url': 'what hangs on it',
  'rekor-url': 'what hangs on it',
  'rekor-version': 'what hangs on it',
  'tsa-url': 'what hangs on it',
  'signing-config': 'what hangs on it',
  'trusted-root': 'what hangs on it',
  'github-attestation': 'what hangs on it',
  'notation-key': 'secret',
  'notation-password': 'secret',
  'bundle-file': 'what is told',
  'notation-chain': 'what hangs on it',
  'verify-base': 'what is checked',
  'show-summary': 'what is told',
}

const FIELD_NAMES: readonly FieldName[] = FIELDS.map(({ name }) => name)

test.each(FIELD_NAMES)('%s is shown, or kept for a reason', name => {
  const shown = Object.keys(shownInputs({ [name]: 'x' }))
  expect(shown).toEqual(Object.hasOwn(KEPT, name) ? [] : [name])
})

test('no secret is ever shown', () => {
  const secrets = FIELDS.filter(field => 'secret' in field && field.secret).map(({ name }) => name)
  expect(secrets.length).toBeGreaterThan(0)
  const values = Object.fromEntries(secrets.map(name => [name, 'hunter2']))
  expect(shownInputs(values)).toEqual({})
})

test('shows what was typed, lists as lists, and nothing for what was not', () => {
  const values = {
    images: 'ghcr.io/org/app, quay.io/org/app',
    layers: ['# comment', 'dist/:/app/\nbin/:/usr/bin/'],
    'base-image': ' alpine:3.22 ',
    tags: '',
    workdir: [],
  }
  expect(shownInputs(values)).toEqual({
    images: ['ghcr.io/org/app', 'quay.io/org/app'],
    'base-image': 'alpine:3.22',
    layers: ['dist/:/app/', 'bin/:/usr/bin/'],
  })
})

test.each([
  ['SOURCE=https://user:hunter2@example.com/x', 'SOURCE=https://example.com/x'],
  ['P=https://user:hun@ter2@example.com/x', 'P=https://example.com/x'],
  ['A=https://hunter2@a/ B=oci://u:hunter2@b/', 'A=https://a/ B=oci://b/'],
  ['KEY=-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----hunter2', '(left out)'],
  ['MAIL=me@example.com', 'MAIL=me@example.com'],
  ['AT=https://example.com/@scope/name', 'AT=https://example.com/@scope/name'],
])('of %s it shows %s', (env, shown) => {
  expect(shownInputs({ envs: env })).toEqual({ envs: [shown] })
})

test('a private key of several lines has none of its lines shown', () => {
  const pem = ['-----BEGIN PRIVATE KEY-----', 'hunter2hunter2', '-----END PRIVATE KEY-----'].join('\n')
  expect(JSON.stringify(shownInputs({ labels: `key=${pem}\nother=1` }))).not.toContain('hunter2')
  expect(shownInputs({ labels: pem.split('\n'), user: 'app' })).toEqual({ user: 'app', labels: ['(left out)'] })
})
