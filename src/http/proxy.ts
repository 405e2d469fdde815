import { BlockList, isIP } from 'node:net'
import { OciPublishError } from '../errors.ts'
import { reachOf } from './address.ts'

/** The variables that matter here, of `process.env` or made up. Lower case wins, as in curl and Go. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>

/**
 * The proxy for a URL: HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY names the host (`host`, `.suffix`, `host:port`, an
 * address, `10.0.0.0/8`, `*`). This machine itself is never asked for by proxy: a registry in a service container is on
 * localhost, and the proxy's localhost is another.
 *
 * @throws {OciPublishError} INVALID_PROXY when the variable is not an http or https URL
 */
export function proxyFor(url: URL, env: ProxyEnv): URL | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const value = lookup(env, name)
  if (value === '' || reachOf(url.hostname) === 'loopback') return undefined
  const entries = lookup(env, 'no_proxy').split(/[\s,]+/)
  if (entries.some(entry => entry !== '' && names(entry, url))) return undefined
  return parseProxy(value, name.toUpperCase())
}

function lookup(env: ProxyEnv, name: string): string {
  return (env[name] ?? env[name.toUpperCase()] ?? '').trim()
}

function parseProxy(value: string, name: string): URL {
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  // The value may hold a password: it is not shown.
  throw new OciPublishError('INVALID_PROXY', `${name} is not a proxy that can be used: it must be an http or https URL`)
}

function names(entry: string, url: URL): boolean {
  if (entry === '*') return true
  const [host, port] = splitPort(entry)
  if (port !== undefined && port !== portOf(url)) return false
  const hostname = unbracketed(url.hostname)
  if (isIP(hostname) !== 0) {
    return inSubnet(host.includes('/') ? host : `${host}/${isIP(host) === 6 ? 128 : 32}`, hostname)
  }
  const suffix = host.toLowerCase().replace(/^\*?\./, '')
  return hostname === suffix || hostname.endsWith(`.${suffix}`)
}

function splitPort(entry: string): [host: string, port: string | undefined] {
  if (isIP(unbracketed(entry)) !== 0) return [unbracketed(entry), undefined] // the colons of ::1 are no port
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  return [unbracketed(host), port]
}

function inSubnet(entry: string, address: string): boolean {
  const [net = '', prefix = ''] = entry.split('/')
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(net) === 0 || isIP(net) !== isIP(address) || !/^\d{1,3}$/.test(prefix)) return false
  if (Number(prefix) > (family === 'ipv6' ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(net, Number(prefix), family)
  return list.check(address, family)
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port
  return url.protocol === 'https:' ? '443' : '80'
}
