// Copies one image to a registry behind a proxy that fails by a seed: it cuts one upload in five at a random point, answers
// one request in twenty with 503 or 429 (half of them after it has read the body) and loses one answer in fifty. Prints how
// often the image arrived as it was, and the bytes that were sent over those that it has.
//
//   node bench/unreliable.js [--seeds 100] [--first 1] [--cuts counted|chance] [--layers 16] [--megabytes 8]
//                            [--cli FILE] [--only NAME,NAME] [--peers] [--peer-seeds 5]
//
// The image has two platforms. `counted`: of every five uploads exactly one is cut; `chance`: each has that chance. With
// --peers, crane, regctl, oras and skopeo go the same way. Needs Node 24, and on the PATH (or in $OCI_PUBLISH_PEERS/bin)
// distribution's `registry` and the tools.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startUnreliableProxy } from '../__tests__/support/unreliable-proxy.ts'
import { hasImage, pushImage } from './image.js'
import { startEmptyRegistry } from './registry.js'

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    cuts: { type: 'string', default: 'counted' },
    layers: { type: 'string', default: '16' },
    megabytes: { type: 'string', default: '8' },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
    'peer-seeds': { type: 'string', default: '5' },
  },
})

const OURS = 'oci-publish'
const SKOPEO = ['skopeo', 'copy', '--all', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false']
const plain = reference => ['--host', `reg=${reference.split('/')[0]},tls=disabled`]
const CLIENTS = {
  [OURS]: (from, to) => [process.execPath, options.cli, 'copy', from, to],
  crane: (from, to) => ['crane', 'copy', '--insecure', from, to],
  regctl: (from, to) => ['regctl', ...[from, to].flatMap(plain), 'image', 'copy', from, to],
  oras: (from, to) => ['oras', 'cp', '--no-tty', '--from-plain-http', '--to-plain-http', from, to],
  skopeo: (from, to) => [...SKOPEO, `docker://${from}`, `docker://${to}`],
  'skopeo --retry-times 3': (from, to) => [...SKOPEO, '--retry-times', '3', `docker://${from}`, `docker://${to}`],
}
/** A client that hangs for so long has failed. */
const PATIENCE_MS = 300_000

const work = mkdtempSync(join(tmpdir(), 'oci-publish-bench-'))
const peers = process.env.OCI_PUBLISH_PEERS
const env = { ...process.env, PATH: `${peers ? `${join(peers, 'bin')}:` : ''}${process.env.PATH}` }

/** @returns the exit code, and what was said last */
async function runToEnd([command, ...args]) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE_MS })
  let said = ''
  child.stderr.on('data', chunk => (said += chunk))
  const [code] = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (...ended) => resolve(ended))
  })
  return { code, said: said.trim() }
}

async function copyOnce(name, seed, source, image) {
  const target = await startEmptyRegistry({ work, env })
  const unreliability = { cutOneIn: 5, byChance: options.cuts === 'chance', busy: 1 / 20, lost: 1 / 50 }
  const proxy = await startUnreliableProxy(target.host, seed, unreliability)
  const started = performance.now()
  const command = CLIENTS[name](`${source.host}/team/app:v1`, `${proxy.host}/team/app:v1`)
  const { code, said } = await runToEnd(command)
  const seconds = (performance.now() - started) / 1000
  const kept = await hasImage(target.host, image)
  const { requests, cuts, busy, lost } = proxy
  const ratio = proxy.bytes / image.bytes
  await proxy[Symbol.asyncDispose]()
  target.stop()
  const faults = `${cuts} cuts, ${busy} refused, ${lost} answers lost`
  const outcome = code === 0 ? (kept ? 'arrived' : 'WRONG') : `failed (${said.split('\n').at(-1).slice(0, 300)})`
  process.stderr.write(
    `${name}: seed ${seed}: ${outcome}, ${ratio.toFixed(3)} of the bytes, ${requests} requests, ${faults}, ${seconds.toFixed(1)} s\n`,
  )
  return { arrived: code === 0, kept, ratio, requests, seconds }
}

const mean = numbers => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

function row(name, runs) {
  const arrived = runs.filter(run => run.arrived)
  const of = (list, what, digits) => (list.length === 0 ? '-' : mean(list.map(run => run[what])).toFixed(digits))
  return [
    name,
    `${arrived.length} of ${runs.length}`,
    `${arrived.filter(({ kept }) => kept).length} of ${arrived.length}`,
    // Of those that failed as well: they have sent their bytes for nothing.
    of(runs, 'ratio', 3),
    Math.max(...runs.map(({ ratio }) => ratio)).toFixed(3),
    of(arrived, 'requests', 0),
    of(arrived, 'seconds', 1),
  ]
}

const source = await startEmptyRegistry({ work, env })
const names = Object.keys(CLIENTS).filter(name =>
  options.only === undefined ? name === OURS || options.peers : options.only.split(',').includes(name),
)
const rows = [['', 'arrived', 'digest kept', 'bytes mean', 'bytes max', 'requests', 'seconds']]
try {
  const layerBytes = Number(options.megabytes) * 1_000_000
  const image = await pushImage(source.host, { layers: Number(options.layers), layerBytes })
  for (const name of names) {
    const runs = []
    const seeds = Number(name === OURS ? options.seeds : options['peer-seeds'])
    const first = Number(options.first)
    for (let seed = first; seed < first + seeds; seed++) runs.push(await copyOnce(name, seed, source, image))
    rows.push(row(name, runs))
  }
} finally {
  source.stop()
  rmSync(work, { recursive: true, force: true })
}
process.stdout.write(`cuts: ${options.cuts}; ${options.layers} layers of ${options.megabytes} MB\n`)
for (const cells of rows)
  process.stdout.write(`${cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(13))).join('')}\n`)
