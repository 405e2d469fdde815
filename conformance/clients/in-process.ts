import { copyImage, type CopyDeps } from '../../src/copy/copy-image.ts'
import { parseCopy } from '../../src/copy/request.ts'
import { failureLines } from '../../src/cli/failure-lines.ts'
import { exec } from '../../src/exec.ts'
import { createTransport } from '../../src/http/client.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { authFiles } from '../../src/registry/credentials/docker-config.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository, type RepositoryDeps } from '../../src/registry/registry.ts'
import { failuresOf } from '../../src/tell/failure.ts'
import type { Client, Ended, Job, RunOptions } from '../client.ts'
import { referenceOf } from '../client.ts'
import type { Clock } from '../clock.ts'

export interface InProcessOptions {
  /** Waits are not waited for: it goes forward by them. */
  readonly clock: Clock
  readonly random: () => number
}

/** Nobody waits long for a registry of this suite, which answers at once or never. */
const TIMEOUTS = { connectMs: 2_000, answerMs: 400, uploadedMs: 400, silenceMs: 400 }

/**
 * Our own client, wired as its command line wires it, without a process and without waiting: hundreds of runs in the time
 * of ten.
 */
export function inProcessClient({ clock, random }: InProcessOptions): Client {
  return {
    name: 'oci-publish',
    run: async (job, options) => {
      const transport = createTransport({ version: '0.0.0', clock, random, timeouts: TIMEOUTS })
      try {
        return await copied(job, options, transport, { clock, random })
      } finally {
        await transport.close()
      }
    },
  }
}

async function copied(
  job: Job,
  { config, signal }: RunOptions,
  transport: ReturnType<typeof createTransport>,
  { clock, random }: InProcessOptions,
): Promise<Ended> {
  const credentials = authFiles({ env: { DOCKER_CONFIG: config, HOME: config }, exec })
  const hosts = new RegistryHosts({ transport, credentials })
  const lines: string[] = []
  const deps = (side: RepositoryDeps['side']): RepositoryDeps => ({
    hosts,
    side,
    sleep: clock.sleep,
    random,
    onEvent: event => lines.push(JSON.stringify(event)),
  })
  const copy: CopyDeps = {
    locate: reference => {
      if (reference.kind !== 'registry') {
        const source = openLayout(reference.path)
        return { source, name: reference.name ?? '', mountDomain: undefined, repository: undefined }
      }
      const source = openRepository(reference, deps('source'))
      const { mountDomain } = source
      return { source, name: reference.tag ?? 'latest', mountDomain, repository: reference.repository }
    },
    openTarget: output =>
      output.kind === 'registry' ? openRepository(output.image, deps('target')) : openLayout(output.path),
    onEvent: event => lines.push(JSON.stringify(event)),
  }
  try {
    const request = parseCopy({ ...wordsOf(job), platforms: [], dryRun: false })
    const { root } = await copyImage(request, copy, { signal })
    return { exitCode: 0, output: [...lines, root.digest].join('\n') }
  } catch (error) {
    if (signal.aborted) return { exitCode: undefined, output: lines.join('\n') }
    return { exitCode: 1, output: [...lines, ...failureLines(failuresOf(error), { stacks: false })].join('\n') }
  }
}

function wordsOf(job: Job): { readonly from: string; readonly to: string } {
  switch (job.do) {
    case 'push':
      return { from: `oci:${job.layout.path}:${job.layout.tag}`, to: referenceOf(job.target) }
    case 'copy':
      return { from: referenceOf(job.source), to: referenceOf(job.target) }
    case 'pull':
      return { from: referenceOf(job.source), to: `oci:${job.layout.path}:${job.layout.tag}` }
  }
}
