import { startSpecRegistry } from '../../conformance/server/registry.ts'
import type { Fault } from '../../conformance/server/fault.ts'
import { onBase, pushOs, putProject } from './project.ts'
import { openWorkshop } from './workshop.ts'

/** Enough to have a request of every kind: pulls, a mount, uploads, manifests, an index, a tag. */
const small = { platforms: ['linux/arm64'], index: 'always', layers: ['dist/{arch}/tool:/bin/tool'], cache: 'off' }

const once: readonly (readonly [what: string, fault: Fault])[] = [
  ['answered with 503', { status: 503 }],
  ['told to come back later', { status: 429, headers: { 'retry-after': '1' } }],
  ['answered with 500 before its body was read', { status: 500, early: true }],
  ['reset at once', { reset: true }],
  ['cut after a few bytes', { cutRequestAfter: 10 }],
  ['carried out, and the answer is lost', { lostAnswer: true }],
  ['answered, and the answer is cut', { cutResponseAfter: 5 }],
]

test.each(once)(
  'a publication survives when any one of its requests is %s',
  async (_what, fault) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const digests = new Set<string>()
    const lost: string[] = []
    const methods = new Set<string>()
    // How many requests there are, nobody knows before: the fault is at the nth, until none has it.
    for (let n = 1; ; n++) {
      const { openUploads: open } = registry
      const started = registry.requests.length
      registry.fail({ nth: n }, fault)
      const values = onBase(registry, [`${registry.host}/team/app${n}`], small)
      const outcome = await workshop.publish(values, { impatient: true }).catch((error: unknown) => error)
      const struck = registry.requests[started + n - 1]
      if (!struck) break
      const where = `${struck.method} ${struck.path}`
      methods.add(struck.method)
      if (outcome instanceof Error) lost.push(`${where}: ${outcome.message}`)
      digests.add(registry.tags(`team/app${n}`).get('v1') ?? `no tag after ${where}`)
      // An upload whose Location nobody heard of cannot be cancelled.
      const orphans = 'lostAnswer' in fault && struck.method === 'POST' ? 1 : 0
      if (registry.openUploads > open + orphans) lost.push(`${where}: an upload is left open`)
    }
    expect(lost).toEqual([])
    expect(digests.size).toBe(1)
    expect(methods).toEqual(new Set(['GET', 'HEAD', 'POST', 'PUT']))
  },
  60_000,
)
