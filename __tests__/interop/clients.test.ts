import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { findPeer } from '../support/peers.ts'

const SUITE = join(import.meta.dirname, '../../conformance/cli.js')
const PEERS = ['crane', 'regctl', 'oras', 'skopeo'] as const

/** Cases in which others differ, besides those where nothing goes wrong. */
const TELLING = [
  ', sending a blob',
  ', downloading',
  'a session that is forgotten',
  'a token that ends',
  'a signed Location',
  'a Location at another origin',
] as const

/** What the suite tells of a case. */
interface Told {
  readonly name: string
  readonly result: 'pass' | 'fail' | 'none'
  readonly findings: readonly { readonly rule: string; readonly level: string; readonly what: string }[]
}

/** The suite by its command line, as anybody runs it. That cases fail is an answer, too. */
async function runSuite(client: string, args: readonly string[]): Promise<readonly Told[]> {
  const words = [SUITE, 'run', '--client', client, '--json', ...args]
  const settings = { maxBuffer: 64 << 20 }
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, words, settings, (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(`${words.join(' ')}\n${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })
  return JSON.parse(output) as readonly Told[]
}

/** `name: why`, a line for each case that failed. */
function failed(told: readonly Told[]): readonly string[] {
  return told
    .filter(({ result }) => result === 'fail')
    .map(({ name, findings }) => [name, ...findings.map(({ rule, what }) => `${rule}: ${what}`)].join('\n  '))
}

const only = (names: readonly string[]): readonly string[] => names.flatMap(name => ['--case', name])

test('the program that is shipped does with every registry, shape and fault what a client has to do', async () => {
  const told = await runSuite('oci-publish', ['--limit', '60'])
  expect(told.length).toBeGreaterThan(200)
  expect(failed(told)).toEqual([])
}, 600_000)

test('the suite is fair: where nothing goes wrong, programs that everybody uses do all that it asks for', async () => {
  for (const peer of PEERS) findPeer(peer)
  const tables = new Map<string, readonly Told[]>()
  for (const peer of PEERS) {
    tables.set(peer, await runSuite(peer, ['--personality', 'spec', ...only(['spec: ', ...TELLING])]))
  }
  process.stdout.write(`${tableOf(tables)}\n`)
  for (const [peer, told] of tables) {
    const plain = told.filter(({ name }) => name.startsWith('spec: '))
    expect(plain.length).toBeGreaterThan(4)
    expect({ peer, failed: failed(plain) }).toEqual({ peer, failed: [] })
  }
}, 200_000)

function tableOf(tables: ReadonlyMap<string, readonly Told[]>): string {
  const [first = []] = tables.values()
  const width = Math.max(...first.map(({ name }) => name.length))
  const words = { pass: 'ok', fail: 'FAIL', none: '-' } as const
  const rowOf = (head: string, cells: readonly string[]): string =>
    [head.padEnd(width), ...cells.map(cell => cell.padEnd(8))].join('  ').trimEnd()
  const rows = first.map(({ name }, at) =>
    rowOf(
      name,
      [...tables.values()].map(told => words[told[at]?.result ?? 'none']),
    ),
  )
  return [rowOf('', [...tables.keys()]), ...rows].join('\n')
}
