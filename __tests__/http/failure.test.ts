import { WireError, classify } from '../../src/http/failure.ts'

function coded(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code })
}

describe('classify()', () => {
  test.each([
    'ECONNRESET',
    'ECONNREFUSED',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EAI_AGAIN',
    'HPE_INVALID_EOF_STATE',
  ])('%s may pass, and the message keeps the code that people search for', code => {
    const failure = classify(coded(code))
    expect(failure).toMatchObject({ code, retriable: true })
    expect(failure.words).toContain(`(${code})`)
  })

  test.each([
    ['CERT_HAS_EXPIRED', 'its TLS certificate has expired (CERT_HAS_EXPIRED)', /^$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /is for another name/, /^$/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /is not trusted/, /NODE_EXTRA_CA_CERTS.*certs\.d/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /is not trusted/, /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /is not trusted/, /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /is not trusted/, /NODE_EXTRA_CA_CERTS/],
    ['EPROTO', /does not speak TLS/, /plain http/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/, /plain http/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /^TLS failed/, /^$/],
    ['HPE_HEADER_OVERFLOW', /larger than 64 KiB/, /^$/],
    ['HPE_INVALID_CONSTANT', /not HTTP/, /port/],
  ])('%s stays as it is, however often one asks', (code, words, hint) => {
    const failure = classify(coded(code))
    expect(failure).toMatchObject({ code, retriable: false })
    expect(failure.words).toMatch(words)
    expect(failure.hint ?? '').toMatch(hint)
  })

  test('a name that DNS does not know is asked for once more, no oftener', () => {
    expect(classify(coded('ENOTFOUND'))).toMatchObject({ retriable: true, attempts: 2 })
  })

  test('a host with several addresses fails as its first address did', () => {
    const error = new AggregateError([coded('EHOSTUNREACH'), coded('ECONNREFUSED')])
    expect(classify(error)).toMatchObject({ code: 'EHOSTUNREACH', retriable: true })
  })

  test('what nobody has a name for is not retried, and keeps its words', () => {
    expect(classify(new Error('odd'))).toEqual({ code: '', words: 'odd', retriable: false })
    expect(classify('thrown text')).toMatchObject({ words: 'thrown text', retriable: false })
  })

  test('a proxy that refuses is not asked again, one that is busy is', () => {
    const refused = classify(new WireError('PROXY_REFUSED', 'the proxy answered 407'))
    expect(refused.retriable).toBe(false)
    expect(refused.hint).toContain('NO_PROXY')
    expect(classify(new WireError('PROXY_BUSY', 'the proxy answered 503'))).toMatchObject({ retriable: true })
  })
})
