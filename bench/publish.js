// Publishes the same files for two platforms with this project, with crane and with buildah, side by side, and prints
// wall time, peak memory and stored bytes, as ratios to crane.
//
//   npm run bench -- [--rounds 3] [--corpus DIR] [--no-buildah] [--level N]
//
// Needs on the PATH (or in $OCI_PUBLISH_PEERS/bin): crane, distribution's `registry`, GNU time; buildah unless left out.
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCorpus } from './corpus.js'
import { startEmptyRegistry } from './registry.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    corpus: { type: 'string', default: join(tmpdir(), 'oci-publish-corpus') },
    buildah: { type: 'boolean', default: true },
    level: { type: 'string' },
  },
  allowNegative: true,
})

const work = mkdtempSync(join(tmpdir(), 'oci-publish-bench-'))
const peers = process.env.OCI_PUBLISH_PEERS
const env = { ...process.env, PATH: `${peers ? `${join(peers, 'bin')}:` : ''}${process.env.PATH}` }
const CLI = join(import.meta.dirname, '../dist/cli.js')

function shell(script) {
  const figures = join(work, 'figures')
  execFileSync('/usr/bin/time', ['-f', '%e %M', '-o', figures, 'sh', '-euc', script], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [seconds, kilobytes] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
  return { seconds, megabytes: kilobytes / 1000 }
}

/** An empty registry with the base image in it. */
async function startRegistry() {
  const { host, data, stop } = await startEmptyRegistry({ work, env })
  shell(`
    tar -C ${options.corpus}/base --sort=name --owner=0 --group=0 --numeric-owner -cf ${work}/base.tar .
    for arch in amd64 arm64; do
      crane append --oci-empty-base -f ${work}/base.tar -t ${host}/base:$arch
      crane mutate --set-platform linux/$arch -t ${host}/base:$arch ${host}/base:$arch
    done
    crane index append -m ${host}/base:amd64 -m ${host}/base:arm64 -t ${host}/base:1`)
  const before = storedBytes(data)
  return {
    host,
    stored: () => storedBytes(data) - before,
    stop,
  }
}

function storedBytes(data) {
  const blobs = join(data, 'docker/registry/v2/blobs')
  return readdirSync(blobs, { recursive: true })
    .filter(path => path.endsWith('data'))
    .reduce((sum, path) => sum + statSync(join(blobs, path)).size, 0)
}

const TOOLS = {
  'oci-publish': host => `
    node ${CLI} publish --quiet --images ${host}/app:v1 --platforms linux/amd64,linux/arm64 --base-image ${host}/base:1 \
      --context ${options.corpus} --layers 'shared/:/srv/shared/' --layers 'dist/{os}-{arch}/:/usr/local/bin/' \
      --entrypoint /usr/local/bin/server --cache-dir ${work}/cache ${options.level ? `--compression-level ${options.level}` : ''}`,
  crane: host => `
    flags='--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0'
    tar -C ${options.corpus} $flags --transform 's,^shared,srv/shared,' -cf ${work}/shared.tar shared
    for arch in amd64 arm64; do
      tar -C ${options.corpus}/dist $flags --transform "s,^linux-$arch,usr/local/bin," -cf ${work}/$arch.tar linux-$arch
      crane append --platform linux/$arch -b ${host}/base:1 -f ${work}/shared.tar -f ${work}/$arch.tar -t ${host}/app:$arch
      crane mutate --entrypoint /usr/local/bin/server -t ${host}/app:$arch ${host}/app:$arch
    done
    crane index append -m ${host}/app:amd64 -m ${host}/app:arm64 -t ${host}/app:v1`,
  buildah: host => `
    export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
    root="--root ${work}/buildah/root --runroot ${work}/buildah/run"
    printf 'FROM ${host}/base:1\\nARG TARGETARCH\\nCOPY shared /srv/shared\\nCOPY dist/linux-$TARGETARCH /usr/local/bin\\nENTRYPOINT ["/usr/local/bin/server"]\\n' > ${work}/Dockerfile
    buildah $root manifest rm app 2>/dev/null || true
    buildah $root bud --layers --tls-verify=false --platform linux/amd64,linux/arm64 --manifest app -f ${work}/Dockerfile ${options.corpus}
    buildah $root manifest push --all --tls-verify=false app docker://${host}/app:v1`,
}

function changeOneFile(round) {
  const [folder] = readdirSync(join(options.corpus, 'shared'))
  const file = readdirSync(join(options.corpus, 'shared', folder), { recursive: true, withFileTypes: true }).find(
    entry => entry.isFile(),
  )
  appendFileSync(join(file.parentPath, file.name), `change ${round}\n`)
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

makeCorpus(options.corpus)
const tools = Object.keys(TOOLS).filter(name => name !== 'buildah' || options.buildah)
const figures = {} // phase -> tool -> list of { seconds, megabytes, stored }
for (let round = 0; round < Number(options.rounds); round++) {
  const registries = {}
  for (const name of tools) registries[name] = await startRegistry()
  rmSync(join(work, 'cache'), { recursive: true, force: true })
  rmSync(join(work, 'buildah'), { recursive: true, force: true })
  mkdirSync(join(work, 'buildah'), { recursive: true })
  for (const phase of ['cold', 'unchanged', 'one file changed']) {
    if (phase === 'one file changed') changeOneFile(round)
    // What was just written is still on its way to the disk, which would be charged to whoever comes next.
    execFileSync('sync')
    for (const name of tools) {
      const before = registries[name].stored()
      const figure = shell(TOOLS[name](registries[name].host))
      ;((figures[phase] ??= {})[name] ??= []).push({ ...figure, stored: registries[name].stored() - before })
      process.stderr.write(`round ${round + 1}, ${phase}, ${name}: ${figure.seconds} s\n`)
    }
  }
  for (const registry of Object.values(registries)) registry.stop()
}
rmSync(work, { recursive: true, force: true })

const rows = [['', ...['wall s', 'of crane', 'memory MB', 'added MB', 'of crane']]]
for (const [phase, byTool] of Object.entries(figures)) {
  const of = (name, what) => median(byTool[name].map(figure => figure[what]))
  for (const name of tools) {
    const ratio = what => (of(name, what) / of('crane', what)).toFixed(2)
    rows.push([
      `${phase}: ${name}`,
      of(name, 'seconds').toFixed(2),
      ratio('seconds'),
      of(name, 'megabytes').toFixed(0),
      (of(name, 'stored') / 1e6).toFixed(2),
      of('crane', 'stored') > 0 ? ratio('stored') : '-',
    ])
  }
}
for (const row of rows)
  process.stdout.write(`${row.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(10))).join('')}\n`)
