import { parseFault } from '../../conformance/fault-words.ts'

describe('parseFault()', () => {
  test.each([
    ['503', { status: 503, headers: {} }, {}],
    ['429 retry-after 2', { status: 429, headers: { 'retry-after': '2' } }, {}],
    ['cut-request 5000', { cutRequestAfter: 5_000 }, {}],
    ['cut-answer 0', { cutResponseAfter: 0 }, {}],
    ['lost-answer', { lostAnswer: true }, {}],
    ['reset', { reset: true }, {}],
    ['hang', { hang: true }, {}],
    ['slow 200', { slowMs: 200 }, {}],
    ['truncate 10', { truncateTo: 10 }, {}],
    ['damage', { damaged: true }, {}],
    ['digest-header sha256:00', { digestHeader: 'sha256:00' }, {}],
    ['location elsewhere', { location: 'elsewhere' }, {}],
    ['redirect', { redirect: 'elsewhere' }, {}],
    ['expire-tokens', { expireTokens: true }, {}],
    ['forget-uploads', { forgetUploads: true }, {}],
    ['lag 3', { lagReads: 3 }, {}],
    ['move-tag v1', { moveTag: 'v1' }, {}],
    ['reset on PUT', { reset: true }, { method: 'PUT' }],
    ['reset on /blobs/', { reset: true }, { path: '/blobs/' }],
    ['reset on GET /v2/ nth 2', { reset: true }, { method: 'GET', path: '/v2/', nth: 2 }],
    ['reset on PUT manifests times 3', { reset: true }, { method: 'PUT', path: 'manifests', times: 3 }],
    ['reset on PUT nth 2', { reset: true }, { method: 'PUT', nth: 2 }],
    ['reset times ever', { reset: true }, { times: Infinity }],
    ['  reset   chance 0.25 ', { reset: true }, { chance: 0.25 }],
    ['cut-request 9 on PATCH chance 1', { cutRequestAfter: 9 }, { method: 'PATCH', chance: 1 }],
  ])('%s', (text, fault, match) => {
    expect(parseFault(text)).toEqual({ fault, match })
  })

  test.each([
    ['', 'what goes wrong is missing'],
    ['explode', '"explode" is not understood'],
    ['600', '"600" is not understood'],
    ['constructor', '"constructor" is not understood'],
    ['cut-request', 'number of bytes is missing'],
    ['cut-request many', 'number of bytes is not a number from 0 on'],
    ['cut-request -1', 'number of bytes is not a number from 0 on'],
    ['location moon', 'kind of Location is not one of relative, absolute, elsewhere, private, none'],
    ['503 on', 'method or path is missing'],
    ['503 nth', 'nth is missing'],
    ['503 retry-after soon', 'retry-after is not a number from 0 on'],
    ['503 often', '"often" is not understood'],
  ])('"%s" is refused: %s', (text, problem) => {
    expect(() => parseFault(text)).toThrow(`--fault "${text}": ${problem}`)
  })
})
