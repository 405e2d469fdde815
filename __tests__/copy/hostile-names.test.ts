import { copyTags } from '../../src/copy/copy-tags.ts'
import { parseCopyTags } from '../../src/copy/tags-request.ts'
import { messageOf } from '../../src/errors.ts'
import type { Target } from '../../src/content/ports.ts'
import { openPlaces, type Places } from './places.ts'
import { image } from './sample.ts'

const PROD = '../../../v2/prod/app/manifests/latest'
const HOSTILE = [PROD, 'x?tag=stable', 'a#b', '%2f..%2fprod', 'v1\u001b[2J\n::set-output name=x::y', 'a/b']

async function put(target: Target, content: string, ...tags: readonly string[]): Promise<string> {
  const blobs = image('linux/amd64', [content])
  const root = blobs.at(-1)
  if (!root) throw new Error('an image has a manifest')
  for (const blob of blobs) await target.push(blob)
  await target.tag(root, tags)
  return root.descriptor.digest
}

const copyAll = (places: Places, from: string, words: { readonly include?: readonly string[] } = {}) =>
  copyTags(
    parseCopyTags({
      ...{ from, to: 'api2.example/team/app', include: [], exclude: [], platforms: [], referrers: false },
      ...{ dryRun: false, ...words },
    }),
    places.deps,
  )

/** The target holds what somebody relies on; the source, whoever made it, has an image of its own under hostile names. */
async function openHostile(from: string): Promise<Places & { readonly good: string }> {
  const places = await openPlaces()
  const good = await put(places.open('api2.example/prod/app'), 'good', 'latest')
  await put(places.open(from), 'mine', 'v1', 'v2')
  if (from.startsWith('oci:')) await put(places.open(from), 'evil', ...HOSTILE)
  else {
    await put(places.open('api.example/prod/app'), 'evil', 'latest', 'x', 'a')
    const body = JSON.stringify({ name: 'team/app', tags: ['v1', ...HOSTILE, 'v2'] })
    const json = { 'content-type': 'application/json' }
    places.registry('api.example').fail({ path: '/v2/a/tags/list' }, { status: 200, headers: json, body })
  }
  return Object.assign(places, { good })
}

describe.each(['api.example/a', 'oci:from'])('copy --all-tags from %s', from => {
  test('writes nothing outside of the named repository, copies what is a tag, and fails for each name that is none', async () => {
    await using places = await openHostile(from)
    const target = places.registry('api2.example')
    const before = target.requests.length
    const { copies, failures } = await copyAll(places, from)

    expect(target.tags('prod/app').get('latest')).toBe(places.good)
    const elsewhere = target.requests.slice(before).filter(({ path }) => !path.startsWith('/v2/team/app/'))
    expect(elsewhere).toEqual([])
    expect([...target.tags('team/app').keys()].sort()).toEqual(['v1', 'v2'])
    expect(copies.map(({ tag }) => tag).sort()).toEqual(['v1', 'v2'])
    expect(failures.map(({ tag }) => tag)).toEqual([
      `"${PROD}"`,
      '"x?tag=stable"',
      '"a#b"',
      '"%2f..%2fprod"',
      '"v1\\u{1b}[2J\\u{a}::set-output name=x::y"',
      '"a/b"',
    ])
    for (const { error } of failures) {
      expect(messageOf(error)).toBe('it is not a tag, which has only letters, digits, "_", "." and "-"')
    }
  })

  test('does not fail for a name that nobody wanted', async () => {
    await using places = await openHostile(from)
    const { copies, failures } = await copyAll(places, from, { include: ['v?'] })
    expect({ tags: copies.map(({ tag }) => tag).sort(), failures }).toEqual({ tags: ['v1', 'v2'], failures: [] })
  })
})

test('a list of nothing but names that are no tags is a failure for each, up to twenty', async () => {
  await using places = await openPlaces()
  const body = JSON.stringify({ name: 'a', tags: Array.from({ length: 1_000 }, (_one, i) => `../${i}`) })
  places.registry('api.example').fail({ path: '/v2/a/tags/list' }, { status: 200, headers: {}, body })
  const { copies, failures } = await copyAll(places, 'api.example/a')
  expect(copies).toEqual([])
  expect(failures).toHaveLength(21)
  expect(messageOf(failures.at(-1)?.error)).toBe('980 more names are not tags')
})
