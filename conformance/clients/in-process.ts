import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { attachArtifact } from '../../src/artifact/attach.ts'
import { chosenOf } from '../../src/artifact/members.ts'
import { copyImage, type CopyDeps } from '../../src/copy/copy-image.ts'
import { parseCopy } from '../../src/copy/request.ts'
import { failureLines } from '../../src/cli/failure-lines.ts'
import { exec } from '../../src/exec.ts'
import { createTransport } from '../../src/http/client.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { parseReference } from '../../src/oci/reference.ts'
import { authFiles } from '../../src/registry/credentials/docker-config.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository, type RepositoryDeps } from '../../src/registry/registry.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { SigningMeans } from '../../src/sign/means.ts'
import { signEverywhere } from '../../src/sign/sign.ts'
import { signatureStatement } from '../../src/sign/statement.ts'
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
    const done = await jobDone(job, copy, { config, signal })
    return { exitCode: 0, output: [...lines, done].join('\n') }
  } catch (error) {
    if (signal.aborted) return { exitCode: undefined, output: lines.join('\n') }
    return { exitCode: 1, output: [...lines, ...failureLines(failuresOf(error), { stacks: false })].join('\n') }
  }
}

/** @returns what it is about */
async function jobDone(job: Job, deps: CopyDeps, { config, signal }: RunOptions): Promise<string> {
  if (job.do === 'attach') {
    const words = {
      ...{ subject: referenceOf(job.target), files: [`${basename(job.file)}:text/plain`], context: dirname(job.file) },
      ...{ artifactType: 'application/vnd.example.note', platforms: [], annotations: [] },
    }
    const { attachments } = await attachArtifact(words, { ...deps, tempDir: config }, { signal })
    return attachments.map(({ manifest }) => manifest.digest).join('\n')
  }
  if (job.do === 'sign') return await signed(job, deps, { signal })
  const request = parseCopy({ ...wordsOf(job), platforms: [], dryRun: false, referrers: isWithReferrers(job) })
  return (await copyImage(request, deps, { signal })).root.digest
}

function isWithReferrers(job: Job): boolean {
  return job.do === 'copy' && job.referrers === true
}

/** The index and its images, as `sign` does it. */
async function signed(
  { target: { host, repository, tag }, key: path }: Extract<Job, { do: 'sign' }>,
  { locate, openTarget, onEvent }: CopyDeps,
  io: { readonly signal: AbortSignal },
): Promise<string> {
  const image = { kind: 'registry', host, repository } as const
  const { source } = locate(parseReference(`${host}/${repository}:${tag}`))
  const root = await source.resolve(tag, io)
  const members = await chosenOf(source, root, ['index', 'all'], { input: 'platforms', ...io })
  const output = { kind: 'registry', image, tags: [] } as const
  const signer = keySigner(createPrivateKey(await readFile(path)))
  const { publicKey } = signer
  const means: SigningMeans = {
    title: 'a key',
    verifiedBy: { key: 'key.pub' },
    trustedRoot: 'given',
    known: undefined,
    identity: () => Promise.resolve({ signer, by: { publicKey } }),
    witnesses: { log: undefined, timestamp: undefined },
  }
  const digests = members.map(({ descriptor }) => descriptor.digest)
  const stated = [{ statement: signatureStatement(digests), attachTo: digests }]
  const places = [{ target: openTarget(output), output }]
  await signEverywhere({ root, platforms: members, places }, stated, [means], {
    onEvent: event => {
      if (event.type !== 'step') onEvent(event)
    },
    ...io,
  })
  return digests.join('\n')
}

function wordsOf(job: Extract<Job, { do: 'push' | 'copy' | 'pull' }>): { readonly from: string; readonly to: string } {
  switch (job.do) {
    case 'push':
      return { from: `oci:${job.layout.path}:${job.layout.tag}`, to: referenceOf(job.target) }
    case 'copy':
      return { from: referenceOf(job.source), to: referenceOf(job.target) }
    case 'pull':
      return { from: referenceOf(job.source), to: `oci:${job.layout.path}:${job.layout.tag}` }
  }
}
