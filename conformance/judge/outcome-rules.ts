import type { Place } from '../client.ts'
import type { Evidence, Rule } from './evidence.ts'

/** Lines of a stack trace, of Node or of Go. */
const STACK = /^\s+at .+:\d+:\d+\)?$|^goroutine \d+ \[|Unhandled|node:internal/m

function targetOf({ job }: Evidence): Place | undefined {
  return 'target' in job ? job.target : undefined
}

function lastLineOf(output: string): string {
  return output.trim().split('\n').at(-1)?.slice(0, 200) ?? ''
}

/** What the client said of its end, and whether that is true. */
export const OUTCOME_RULES: readonly Rule[] = [
  {
    name: 'ends',
    level: 'must',
    find: ({ ended }) => (ended.exitCode === undefined ? ['it did not end and had to be stopped'] : []),
  },
  {
    name: 'does what can be done, and says so where it cannot',
    level: 'must',
    find: ({ case: { expect }, ended: { exitCode, output } }) => {
      if (expect === 'done' && exitCode !== 0 && exitCode !== undefined) return [`it gave up: ${lastLineOf(output)}`]
      return expect === 'error' && exitCode === 0 ? ['it says that all is done'] : []
    },
  },
  {
    name: 'publishes all or nothing',
    level: 'must',
    find: evidence => {
      const target = targetOf(evidence)
      const { registry } = evidence.witnesses.find(({ role }) => role !== 'source') ?? {}
      if (!target || !registry) return []
      const { before, sourceDigests, ended } = evidence
      const now = registry.tags(target.repository).get(target.tag)
      const missing = now === undefined ? [] : registry.missing(target.repository, now)
      if (missing.length > 0) return [`the tag is there without ${missing.join(', ')}`]
      const isOurs = now !== undefined && sourceDigests.includes(now)
      if (ended.exitCode === 0 && !isOurs) {
        return [
          now === undefined ? 'it says that all is done, and there is no tag' : `the tag is another digest: ${now}`,
        ]
      }
      return isOurs || now === before ? [] : [`the tag points at ${now ?? 'nothing'}, which nobody asked for`]
    },
  },
  {
    name: 'writes all or nothing',
    level: 'must',
    find: ({ pulled, sample, sourceDigests, ended }) => {
      if (!pulled) return []
      // Some list the images of an index as well (image-spec, image-layout.md lets them).
      const known = new Set([...sourceDigests, ...sample.manifests.map(({ digest }) => digest)])
      const listed = pulled.roots.filter(root => sourceDigests.includes(root))
      const wrong = pulled.roots.flatMap(root => (pulled.wrong.get(root) ?? []).map(one => `${one} of ${root}`))
      if (wrong.length > 0) return [`the layout lists what it has not: ${wrong.join(', ')}`]
      const strange = pulled.roots.filter(root => !known.has(root))
      if (strange.length > 0) return [`the layout lists another digest: ${strange.join(', ')}`]
      return ended.exitCode === 0 && listed.length === 0
        ? ['it says that all is done, and the layout lists nothing']
        : []
    },
  },
  {
    name: 'loses nothing that refers to an image',
    level: 'must',
    find: evidence => {
      const target = targetOf(evidence)
      const { registry } = evidence.witnesses.find(({ role }) => role !== 'source') ?? {}
      const { job, sample, ended } = evidence
      if (!target || !registry || ended.exitCode !== 0) return []
      const { repository } = target
      const before = new Set(sample.manifests.map(({ digest }) => digest))
      const listed = registry.referrers(repository, sample.root.digest)
      if (job.do === 'attach' || job.do === 'sign') {
        const added = listed.filter(digest => !before.has(digest))
        if (added.length === 0) return ['it says that all is done, and nothing new is listed']
        const missing = added.flatMap(digest => registry.missing(repository, digest))
        return missing.length > 0 ? [`what it added is there without ${missing.join(', ')}`] : []
      }
      if (job.do !== 'copy' || !job.referrers) return []
      const lost = sample.referrers.filter(({ subject, digest }) => {
        return (
          !registry.referrers(repository, subject).includes(digest) || registry.missing(repository, digest).length > 0
        )
      })
      return lost.length > 0
        ? [`${lost.length} of ${sample.referrers.length} that came along are not listed, or not there`]
        : []
    },
  },
  {
    name: 'says what went wrong',
    level: 'must',
    find: ({ ended: { exitCode, output } }) =>
      exitCode !== 0 && exitCode !== undefined && output.trim() === '' ? ['it failed without a word'] : [],
  },
  {
    name: 'fails in words',
    level: 'should',
    find: ({ ended: { exitCode, output } }) =>
      exitCode !== 0 && STACK.test(output) ? ['it failed with a stack trace'] : [],
  },
]
