// Copies one image between two registries with this project, crane, regctl, skopeo and oras, side by side, and prints wall
// time, time of the processor, peak memory and the number of requests that the target (and the source) got, with ratios to
// the best of the others.
//
//   node bench/copy.js [--rounds 5] [--layers 16] [--megabytes 4] [--cli FILE] [--only NAME,NAME] [--through-proxy]
//
// The image has two platforms. Time is measured against the registries themselves, or through a proxy before the target; a
// run of its own counts. Needs on the PATH (or in $OCI_PUBLISH_PEERS/bin): distribution's `registry`, the tools, GNU time.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, createServer as createHttpServer, request as ask } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pushImage } from './image.js'
import { startEmptyRegistry } from './registry.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    layers: { type: 'string', default: '16' },
    megabytes: { type: 'string', default: '4' },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
    only: { type: 'string' },
    'through-proxy': { type: 'boolean', default: false },
  },
})

const OURS = 'oci-publish'
const TOOLS = {
  [OURS]: (from, to) => ['node', options.cli, 'copy', '--quiet', from, to],
  crane: (from, to) => ['crane', 'copy', '--insecure', from, to],
  regctl: (from, to) => ['regctl', ...[from, to].flatMap(plain), 'image', 'copy', from, to],
  skopeo: (from, to) => [
    ...['skopeo', 'copy', '--all', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'],
    ...[`docker://${from}`, `docker://${to}`],
  ],
  oras: (from, to) => ['oras', 'cp', '--no-tty', '--from-plain-http', '--to-plain-http', from, to],
}

function plain(reference) {
  return ['--host', `reg=${reference.split('/')[0]},tls=disabled`]
}

const work = mkdtempSync(join(tmpdir(), 'oci-publish-bench-'))
const peers = process.env.OCI_PUBLISH_PEERS
const env = { ...process.env, PATH: `${peers ? `${join(peers, 'bin')}:` : ''}${process.env.PATH}` }

/** Runs to the end; without blocking, so that a proxy in this process goes on. */
async function measure([command, ...args]) {
  const figures = join(work, 'figures')
  const started = performance.now()
  const child = spawn('/usr/bin/time', ['-f', '%U %S %M', '-o', figures, command, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', chunk => (said += chunk))
  const code = await new Promise(resolve => child.once('close', resolve))
  const ms = performance.now() - started
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')}: exit code ${code}\n${said}`)
  const [user, system, kilobytes] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
  return { ms, cpuMs: (user + system) * 1000, megabytes: kilobytes / 1000 }
}

/** Stands in front of a registry and notes requests, in order. */
async function startProxy(target) {
  const seen = []
  const [hostname, port] = target.split(':')
  const agent = new Agent({ keepAlive: true })
  const server = createHttpServer((request, response) => {
    const { method, url: path, rawHeaders } = request
    seen.push(`${method} ${path.replace(/\?.*/s, '')}`)
    const onward = ask({ hostname, port, agent, method, path, headers: rawHeaders })
    onward.once('response', answer => {
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${server.address().port}`,
    seen,
    stop: () => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

async function digestOf(host) {
  const answer = await fetch(`http://${host}/v2/team/app/manifests/v1`, {
    method: 'HEAD',
    headers: { accept: 'application/vnd.oci.image.index.v1+json' },
  })
  return answer.headers.get('docker-content-digest')
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

const source = await startEmptyRegistry({ work, env })
const layerBytes = Number(options.megabytes) * 1_000_000
const { digest: wanted } = await pushImage(source.host, { layers: Number(options.layers), layerBytes })
const tools = Object.keys(TOOLS).filter(name => options.only === undefined || options.only.split(',').includes(name))
const PHASES = ['cold', 'no-op']
const figures = Object.fromEntries(PHASES.map(phase => [phase, Object.fromEntries(tools.map(name => [name, []]))]))
const requests = {} // phase -> tool -> requests of target and source
try {
  // The last round is for counting.
  for (let round = 0; round <= Number(options.rounds); round++) {
    const counting = round === Number(options.rounds)
    // Another one goes first each time: what was written before is still on its way to the disk.
    for (const name of [...tools.slice(round % tools.length), ...tools.slice(0, round % tools.length)]) {
      const target = await startEmptyRegistry({ work, env })
      const proxies = []
      if (counting || options['through-proxy']) proxies.push(await startProxy(target.host))
      if (counting) proxies.push(await startProxy(source.host))
      const [to = target.host, from = source.host] = proxies.map(({ host }) => host)
      for (const phase of PHASES) {
        execFileSync('sync')
        const figure = await measure(TOOLS[name](`${from}/team/app:v1`, `${to}/team/app:v1`))
        const digest = await digestOf(target.host)
        if (digest !== wanted) throw new Error(`${name}: ${digest} is not ${wanted}`)
        if (counting) (requests[phase] ??= {})[name] = proxies.map(({ seen }) => seen.splice(0))
        else figures[phase][name].push(figure)
      }
      for (const proxy of proxies) proxy.stop()
      target.stop()
    }
    process.stderr.write(counting ? 'counted\n' : `round ${round + 1}\n`)
  }
} finally {
  source.stop()
  rmSync(work, { recursive: true, force: true })
}

const rows = [['', 'wall ms', 'least', 'of best', 'cpu ms', 'memory MB', 'requests', 'of best', 'of source']]
for (const phase of PHASES) {
  const of = (name, what) => median(figures[phase][name].map(figure => figure[what]))
  const wall = name => of(name, 'ms')
  const count = name => requests[phase][name][0].length
  const best = value => Math.min(...tools.filter(name => name !== OURS).map(value))
  for (const name of tools) {
    rows.push([
      `${phase}: ${name}`,
      wall(name).toFixed(0),
      Math.min(...figures[phase][name].map(({ ms }) => ms)).toFixed(0),
      (wall(name) / best(wall)).toFixed(2),
      of(name, 'cpuMs').toFixed(0),
      of(name, 'megabytes').toFixed(0),
      count(name),
      (count(name) / best(count)).toFixed(2),
      requests[phase][name][1].length,
    ])
  }
}
for (const row of rows)
  process.stdout.write(`${row.map((cell, i) => (i === 0 ? cell.padEnd(24) : String(cell).padStart(10))).join('')}\n`)
if (tools.includes(OURS)) {
  const kinds = new Map()
  for (const line of requests['cold'][OURS][0]) {
    const kind = line.replace(/sha256:.*|[0-9a-f-]{36}.*/, '...')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  for (const [kind, count] of kinds) process.stdout.write(`cold: ${OURS}: ${String(count).padStart(3)} ${kind}\n`)
  for (const line of requests['no-op'][OURS][0]) process.stdout.write(`no-op: ${OURS}: ${line}\n`)
}
