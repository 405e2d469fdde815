// Signs one index and all its platforms with a key, with this project and with cosign 3, side by side, and verifies it with
// both; prints wall time, time of the processor and peak memory, with ratios to cosign.
//
//   node bench/sign.js [--rounds 5] [--cli FILE]
//
// Nothing is logged, so nothing leaves the machine. Needs on the PATH (or in $OCI_PUBLISH_PEERS/bin): distribution's
// `registry`, `cosign3`, GNU time.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmptyRegistry } from './registry.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
  },
})

const PLATFORMS = [
  ...['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6', 'linux/386', 'linux/ppc64le', 'linux/s390x'],
  ...['linux/riscv64', 'linux/mips64le', 'linux/loong64'],
].join(',')

const work = mkdtempSync(join(tmpdir(), 'oci-publish-bench-'))
const peers = process.env.OCI_PUBLISH_PEERS
const env = {
  ...process.env,
  PATH: `${peers ? `${join(peers, 'bin')}:` : ''}${process.env.PATH}`,
  HOME: work,
  COSIGN_PASSWORD: 'bench',
}

function run(command, ...args) {
  execFileSync(command, args, { cwd: work, env, stdio: 'pipe' })
}

function measure([command, ...args]) {
  const figures = join(work, 'figures')
  const started = performance.now()
  run('/usr/bin/time', '-f', '%U %S %M', '-o', figures, command, ...args)
  const ms = performance.now() - started
  const [user, system, kilobytes] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
  return { ms, cpuMs: (user + system) * 1000, megabytes: kilobytes / 1000 }
}

const OFFLINE = ['--use-signing-config=false', '--tlog-upload=false', '--yes']
const TOOLS = {
  'oci-publish': {
    sign: ref => ['node', options.cli, 'sign', '--quiet', '--key', 'cosign.key', ref],
    verify: ref => ['node', options.cli, 'verify', '--quiet', '--key', 'cosign.pub', ref],
  },
  cosign: {
    sign: ref => ['cosign3', 'sign', '--key', 'cosign.key', '--recursive', ...OFFLINE, ref],
    verify: ref => ['cosign3', 'verify', '--key', 'cosign.pub', '--insecure-ignore-tlog', ref],
  },
}

const median = numbers => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

mkdirSync(join(work, 'app'))
writeFileSync(join(work, 'app/file'), 'x')
run('node', options.cli, 'generate-key-pair')
const figures = {}
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, { sign, verify }] of Object.entries(TOOLS)) {
    const registry = await startEmptyRegistry({ work, env })
    try {
      const ref = `${registry.host}/bench/app:v1`
      run(
        'node',
        options.cli,
        'publish',
        '--quiet',
        '--images',
        ref,
        '--platforms',
        PLATFORMS,
        '--layers',
        'app/:/app/',
      )
      const steps = { sign: sign(ref), 'sign again': name === 'cosign' ? undefined : sign(ref), verify: verify(ref) }
      for (const [step, command] of Object.entries(steps)) {
        if (command) ((figures[step] ??= {})[name] ??= []).push(measure(command))
      }
    } finally {
      await registry.stop()
    }
  }
}
rmSync(work, { recursive: true, force: true })

console.log('|  | wall ms | of cosign | cpu ms | memory MB |\n| --- | ---: | ---: | ---: | ---: |')
for (const [step, tools] of Object.entries(figures)) {
  for (const [name, rounds] of Object.entries(tools)) {
    const ms = median(rounds.map(one => one.ms))
    const peer = tools.cosign && median(tools.cosign.map(one => one.ms))
    const ratio = peer === undefined ? '-' : (ms / peer).toFixed(2)
    const [cpu, memory] = [rounds.map(one => one.cpuMs), rounds.map(one => one.megabytes)].map(median)
    console.log(`| ${step}: ${name} | ${ms.toFixed(0)} | ${ratio} | ${cpu.toFixed(0)} | ${memory.toFixed(0)} |`)
  }
}
