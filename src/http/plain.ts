import { reachOf } from './address.ts'

/**
 * Whether a registry host is this machine itself, where plain http is the rule: 127.0.0.0/8, ::1, localhost.
 *
 * @param host as in a reference, with or without port: `127.0.0.1:5000`, `[::1]:5000`, `localhost`
 */
export function isLoopback(host: string): boolean {
  if (!URL.canParse(`http://${host}/`)) return false
  const { hostname } = new URL(`http://${host}/`)
  return reachOf(hostname) === 'loopback' && !hostname.startsWith('0.')
}
