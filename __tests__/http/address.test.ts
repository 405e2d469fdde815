import { reachOf } from '../../src/http/address.ts'
import { isLoopback } from '../../src/http/plain.ts'

test.each([
  ['r.example', 'public'],
  ['8.8.8.8', 'public'],
  ['[2606:4700::1111]', 'public'],
  ['localhost', 'loopback'],
  ['LOCALHOST.', 'loopback'],
  ['app.localhost', 'loopback'],
  ['localhost.example', 'public'],
  ['127.3.4.5', 'loopback'],
  ['[::1]', 'loopback'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['10.255.0.1', 'private'],
  ['172.32.0.1', 'public'],
  ['172.31.0.1', 'private'],
  ['[::ffff:a00:1]', 'private'],
  ['[64:ff9b::a9fe:a9fe]', 'private'],
  ['[fe80::1]', 'link-local'],
  ['100.100.100.200', 'link-local'],
  ['100.100.100.201', 'private'],
  ['255.255.255.255', 'private'],
])('%s is %s', (hostname, reach) => {
  expect(reachOf(hostname)).toBe(reach)
})

test.each([
  ['127.0.0.1:5000', true],
  ['127.1', true],
  ['localhost', true],
  ['localhost:5000', true],
  ['[::1]:5000', true],
  ['0.0.0.0:5000', false],
  ['10.0.0.1:5000', false],
  ['r.example', false],
  ['localhost.example:5000', false],
  ['not a host', false],
  ['', false],
])('plain http by default for %j: %s', (host, plain) => {
  expect(isLoopback(host)).toBe(plain)
})
