import { BlockList, isIP } from 'node:net'

/** From where an address can be reached. A name counts as public: what it resolves to is the network's business. */
export type Reach = 'public' | 'private' | 'loopback' | 'link-local'

const v4 = 'ipv4'
const v6 = 'ipv6'

/** First match wins. */
const RANGES: readonly (readonly [Reach, readonly (readonly [string, number, typeof v4 | typeof v6])[]])[] = [
  [
    'link-local',
    [
      ['169.254.0.0', 16, v4],
      ['fe80::', 10, v6],
      // Where clouds serve credentials to whoever asks, outside of the link-local ranges: Alibaba, Oracle, AWS.
      ['100.100.100.200', 32, v4],
      ['192.0.0.192', 32, v4],
      ['fd00:ec2::', 32, v6],
    ],
  ],
  [
    'loopback',
    [
      ['127.0.0.0', 8, v4],
      ['0.0.0.0', 8, v4], // "this host": Linux connects it to itself
      ['::', 127, v6], // :: and ::1
    ],
  ],
  [
    'private',
    [
      ['10.0.0.0', 8, v4],
      ['172.16.0.0', 12, v4],
      ['192.168.0.0', 16, v4],
      ['100.64.0.0', 10, v4],
      ['192.0.0.0', 24, v4],
      ['198.18.0.0', 15, v4],
      ['224.0.0.0', 3, v4], // multicast, reserved, broadcast: nothing public there either
      ['fc00::', 7, v6],
      ['fec0::', 10, v6],
      ['ff00::', 8, v6],
      ['64:ff9b::', 96, v6], // an IPv4 address behind NAT64, of whatever reach
      ['64:ff9b:1::', 48, v6],
    ],
  ],
]

const LISTS: readonly (readonly [Reach, BlockList])[] = RANGES.map(([reach, ranges]) => {
  const list = new BlockList()
  for (const [net, prefix, family] of ranges) list.addSubnet(net, prefix, family)
  return [reach, list]
})

/** @param hostname as in `URL.hostname`, that is normalised: `0x7f.1` has become `127.0.0.1` there */
export function reachOf(hostname: string): Reach {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  if (family === 0) return reachOfName(hostname.toLowerCase().replace(/\.$/, ''))
  return LISTS.find(([, list]) => list.check(address, family === 6 ? v6 : v4))?.[0] ?? 'public'
}

function reachOfName(name: string): Reach {
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback'
  return name === 'metadata.google.internal' || name === 'metadata' ? 'link-local' : 'public'
}
