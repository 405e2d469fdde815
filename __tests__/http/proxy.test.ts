import { proxyFor } from '../../src/http/proxy.ts'

const proxies = { HTTPS_PROXY: 'http://secure.proxy:3128', HTTP_PROXY: 'http://plain.proxy:3128' }

test('https and http go by their own proxy, and neither by the other one', () => {
  expect(proxyFor(new URL('https://r.example/'), proxies)?.host).toBe('secure.proxy:3128')
  expect(proxyFor(new URL('http://r.example/'), proxies)?.host).toBe('plain.proxy:3128')
  expect(proxyFor(new URL('https://r.example/'), { HTTP_PROXY: 'http://p' })).toBeUndefined()
})

test('lower case wins, as in curl', () => {
  expect(proxyFor(new URL('https://r.example/'), { ...proxies, https_proxy: 'http://lower' })?.host).toBe('lower')
  expect(proxyFor(new URL('https://r.example/'), { ...proxies, https_proxy: '' })).toBeUndefined()
})

test('a proxy without a scheme is an http proxy', () => {
  expect(proxyFor(new URL('https://r.example/'), { HTTPS_PROXY: 'proxy:8080' })?.href).toBe('http://proxy:8080/')
})

test('a proxy that cannot be used is named by its variable, without the password in it', () => {
  const ask = (): unknown => proxyFor(new URL('https://r.example/'), { HTTPS_PROXY: 'socks5://u:secret@p:1080' })
  expect(ask).toThrow('HTTPS_PROXY is not a proxy that can be used: it must be an http or https URL')
})

test.each(['http://localhost:5000/', 'http://127.0.0.1:5000/', 'http://[::1]:5000/'])(
  'a registry on this machine is not looked for on the machine of the proxy: %s',
  url => {
    expect(proxyFor(new URL(url), proxies)).toBeUndefined()
  },
)

describe('NO_PROXY', () => {
  test.each([
    ['r.example', 'https://r.example/'],
    ['example', 'https://r.example/'],
    ['.example', 'https://r.example/'],
    ['*.example', 'https://r.example/'],
    ['a.example, r.example', 'https://r.example/'],
    ['R.Example', 'https://r.example/'],
    ['r.example:443', 'https://r.example/'],
    ['r.example:5000', 'http://r.example:5000/'],
    ['*', 'https://r.example/'],
    ['10.0.0.0/8', 'http://10.1.2.3:5000/'],
    ['10.1.2.3', 'http://10.1.2.3:5000/'],
    ['10.1.2.3:5000', 'http://10.1.2.3:5000/'],
    ['fd00::/8', 'http://[fd00::1]/'],
    ['[fd00::1]', 'http://[fd00::1]/'],
    ['fd00::1', 'http://[fd00::1]:5000/'],
  ])('%s sends %s the direct way', (value, url) => {
    expect(proxyFor(new URL(url), { ...proxies, NO_PROXY: value })).toBeUndefined()
  })

  test.each([
    ['', 'https://r.example/'],
    ['.r.example', 'https://other.example/'],
    ['ample', 'https://r.example/'],
    ['r.example:8443', 'https://r.example/'],
    ['10.0.0.0/8', 'http://11.0.0.1/'],
    ['10.0.0.0/99', 'http://10.0.0.1/'],
    ['10.1.2.3:5000', 'http://10.1.2.3/'],
    ['fd00::/8', 'http://10.0.0.1/'],
  ])('%s leaves %s to the proxy', (value, url) => {
    expect(proxyFor(new URL(url), { ...proxies, NO_PROXY: value })).toBeDefined()
  })
})
