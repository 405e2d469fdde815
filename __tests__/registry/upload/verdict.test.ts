import { AuthError, IntegrityError, RegistryError, type Refusal } from '../../../src/errors.ts'
import { parseRepository } from '../../../src/oci/repository.ts'
import { credentialChain } from '../../../src/registry/credentials/chain.ts'
import { Access } from '../../../src/registry/access.ts'
import { RegistryHosts } from '../../../src/registry/host.ts'
import type { Because } from '../../../src/registry/upload/tries.ts'
import { closes, judge } from '../../../src/registry/upload/verdict.ts'
import { scripted } from '../scripted.ts'

const hosts = new RegistryHosts({ transport: scripted(() => ({ status: 200 })), credentials: credentialChain([]) })
const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')

const refusal = (more: Partial<Refusal>): RegistryError =>
  new RegistryError({
    ...{ side: 'target', host: 'reg.example.com', repository: 'team/app', operation: 'push', method: 'PUT', url: '' },
    ...{ status: 400, codes: [], detail: '', requestId: undefined, retriable: false },
    ...more,
  })

describe('judge()', () => {
  test.each<[name: string, verdict: Because, refusal: Partial<Refusal>]>([
    ['a connection that was cut', 'cut', { status: 0, retriable: true }],
    ['a certificate that nobody trusts', 'final', { status: 0 }],
    ['429', 'busy', { status: 429, retriable: true }],
    ['503', 'busy', { status: 503, retriable: true }],
    ['TOOMANYREQUESTS, whatever the status', 'busy', { status: 400, codes: ['TOOMANYREQUESTS'], retriable: true }],
    ['429 until tomorrow', 'final', { status: 429 }],
    ['BLOB_UPLOAD_UNKNOWN', 'gone', { status: 404, codes: ['BLOB_UPLOAD_UNKNOWN'] }],
    ['BLOB_UPLOAD_INVALID', 'gone', { status: 400, codes: ['BLOB_UPLOAD_INVALID'] }],
    ['BLOB_UPLOAD_UNKNOWN after a piece', 'gone', { status: 400, codes: ['BLOB_UPLOAD_UNKNOWN'], method: 'PATCH' }],
    ['404 without words', 'gone', { status: 404 }],
    ['416', 'order', { status: 416, codes: ['BLOB_UPLOAD_INVALID'], method: 'PATCH' }],
    ['DIGEST_INVALID', 'mismatch', { status: 400, codes: ['DIGEST_INVALID'] }],
    ['SIZE_INVALID', 'final', { status: 400, codes: ['SIZE_INVALID'] }],
    ['SIZE_INVALID of a piece', 'final', { status: 400, codes: ['SIZE_INVALID'], method: 'PATCH' }],
    ['413', 'too-large', { status: 413 }],
    ['413 with a code that is about the size too', 'too-large', { status: 413, codes: ['SIZE_INVALID'] }],
    ['413 of a piece', 'too-large', { status: 413, codes: ['SIZE_INVALID'], method: 'PATCH' }],
    ['413 of a quota', 'final', { status: 413, codes: ['DENIED'] }],
    ['DENIED', 'final', { status: 403, codes: ['DENIED'] }],
    ['UNAUTHORIZED', 'final', { status: 401, codes: ['UNAUTHORIZED'] }],
    ['NAME_UNKNOWN, as of a repository that was deleted', 'final', { status: 404, codes: ['NAME_UNKNOWN'] }],
    ['NAME_INVALID', 'final', { status: 404, codes: ['NAME_INVALID'] }],
    ['400', 'final', { status: 400 }],
    ['400 of a piece', 'unfit', { status: 400, method: 'PATCH' }],
    ['405 of a piece', 'unfit', { status: 405, codes: ['UNSUPPORTED'], method: 'PATCH' }],
    ['403 of a piece', 'final', { status: 403, method: 'PATCH' }],
    ['what the source of the bytes says', 'final', { side: 'source', status: 503, retriable: true }],
  ])('of %s says "%s"', (_name, verdict, facts) => {
    expect(judge(access, refusal(facts))).toBe(verdict)
  })

  test.each<[name: string, verdict: Because, refusal: Partial<Refusal>]>([
    ['400: a Content-Range is nothing that servers take on a PUT', 'unfit', { status: 400 }],
    ['SIZE_INVALID', 'unfit', { status: 400, codes: ['SIZE_INVALID'] }],
    ['413 with SIZE_INVALID', 'too-large', { status: 413, codes: ['SIZE_INVALID'] }],
    ['DIGEST_INVALID', 'mismatch', { status: 400, codes: ['DIGEST_INVALID'] }],
    ['DENIED', 'final', { status: 403, codes: ['DENIED'] }],
  ])('of a session that was gone on with: %s says "%s"', (_name, verdict, facts) => {
    expect(judge(access, refusal(facts), true)).toBe(verdict)
  })

  test.each([
    ['credentials that are refused', new AuthError('reg.example.com', 'no')],
    ['bytes that are not what they should be', new IntegrityError('x', 'a', 'b')],
    ['a file that cannot be read', new Error('EACCES')],
  ])('takes %s for final', (_name, error) => {
    expect(judge(access, error)).toBe('final')
  })
})

test('a session that the registry has ended itself is not cancelled', () => {
  expect(closes(access, refusal({ status: 404 }))).toBe(true)
  expect(closes(access, refusal({ status: 400, codes: ['DIGEST_INVALID'] }))).toBe(true)
  expect(closes(access, refusal({ status: 503 }))).toBe(false)
  expect(closes(access, refusal({ side: 'source', status: 404 }))).toBe(false)
})
