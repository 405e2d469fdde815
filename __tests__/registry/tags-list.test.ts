import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { nextOf } from '../../src/registry/link.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { clientOf, documentOf } from './client.ts'
import { scripted, type Said, type ScriptedTransport } from './scripted.ts'

const LIST = '/v2/team/app/tags/list'
const INDEX = 'application/vnd.oci.image.index.v1+json'

async function all<T>(list: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}

/** A registry whose answers are given by path and query. */
function tagsOf(
  pages: Readonly<Record<string, Said>>,
  host = 'reg.example.com',
): { readonly tags: Promise<readonly string[]>; readonly transport: ScriptedTransport } {
  const transport = scripted(({ url }) => pages[new URL(url).pathname + new URL(url).search] ?? { status: 404 })
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
  const repository = openRepository({ host, repository: 'team/app' }, { hosts, side: 'source' })
  return { tags: all(repository.tags()), transport }
}

const page = (tags: readonly string[] | null, link?: string): Said => ({
  status: 200,
  headers: link === undefined ? {} : { Link: link },
  body: JSON.stringify({ name: 'team/app', tags }),
})

test('every tag is listed, however few the registry gives at a time', async () => {
  await using registry = await startSpecRegistry({ tagsPerPage: 2 })
  await using client = clientOf(registry)
  const target = client.open('team/app')
  const manifest = documentOf(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: [] })
  const names = ['a', 'b', 'c', 'd', 'e']
  await target.push(manifest)
  await target.tag(manifest, names)
  expect(await all(client.open('team/app', 'source').tags())).toEqual(names)
  expect(registry.requests.filter(({ path }) => path === LIST).map(({ query }) => query.get('n'))).toEqual([
    '1000',
    '2',
    '2',
  ])
})

test.each([
  ['relative to the root', `<${LIST}?last=b&n=2>; rel="next"`],
  ['relative to the page', '<list?last=b&n=2>; rel=next'],
  ['absolute', `<https://reg.example.com${LIST}?last=b&n=2>; rel="next"`],
  [
    'absolute, by the name that the registry has behind its proxy',
    `<http://reg.example.com:5000${LIST}?last=b&n=2>; rel="next"`,
  ],
])('the next page is found where its link is %s', async (_name, link) => {
  const { tags } = tagsOf({ [`${LIST}?n=1000`]: page(['a', 'b'], link), [`${LIST}?last=b&n=2`]: page(['b', 'c']) })
  expect(await tags).toEqual(['a', 'b', 'c'])
})

test('as many tags are asked for as the registry gives at most', async () => {
  const { tags } = tagsOf({ [`${LIST}?n=100`]: page(['a']) }, 'quay.io')
  expect(await tags).toEqual(['a'])
})

test.each([
  ['a repository without tags', page(null), []],
  ['a repository without tags, in other words', page([]), []],
])('%s has none', async (_name, said, expected) => {
  expect(await tagsOf({ [`${LIST}?n=1000`]: said }).tags).toEqual(expected)
})

test.each([
  ['in circles', `<${LIST}?n=1000>; rel="next"`, 'one page leads to another that was read before'],
  ['to another host', '<https://evil.example.com/v2/>; rel="next"', 'it is said to be at https://evil.example.com/v2/'],
  [
    'to what is no list of tags',
    `<${LIST.replace('tags/list', 'manifests/v1')}?n=2>; rel="next"`,
    '/v2/team/app/manifests/v1?n=2',
  ],
  ['nowhere', '<https://>; rel="next"', 'it is said to be at "https://"'],
])('a list that leads %s is refused', async (_name, link, because) => {
  await expect(tagsOf({ [`${LIST}?n=1000`]: page(['a'], link) }).tags).rejects.toMatchObject({
    code: 'INVALID_LIST',
    message: expect.stringContaining(because) as string,
  })
})

test('the next page is one of the same repository, whichever the link names', async () => {
  const link = '</v2/prod/secret/tags/list?last=b&n=2>; rel="next"'
  const { tags, transport } = tagsOf({ [`${LIST}?n=1000`]: page(['a'], link), [`${LIST}?last=b&n=2`]: page(['c']) })
  expect(await tags).toEqual(['a', 'c'])
  expect(transport.lines()).toEqual([`GET ${LIST}`, `GET ${LIST}`])
})

test('a listed name that is not a tag fails the list of whoever does not ask for such names', async () => {
  const { tags } = tagsOf({ [`${LIST}?n=1000`]: page(['v1', '../x']) })
  await expect(tags).rejects.toMatchObject({ code: 'INVALID_TAG' })
})

test('a list without an end is given up', async () => {
  let n = 0
  const transport = scripted(() => page(['a'], `<${LIST}?last=${n++}>; rel="next"`))
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
  const repository = openRepository({ host: 'reg.example.com', repository: 'team/app' }, { hosts, side: 'source' })
  await expect(all(repository.tags())).rejects.toThrow('could not list tags: it has more than 1000 pages')
})

test.each([
  ['bytes', (i: number): Said => ({ ...page([`${i}`]), body: `{"tags":["${i}"]}${' '.repeat(15 << 20)}` }), 5],
  ['tags', (i: number): Said => page(Array.from({ length: 100_000 }, (_one, n) => `${i}-${n}`)), 6],
])('a list of ever more %s ends the reading, not the memory', async (what, pageOf, pages) => {
  let asked = 0
  const transport = scripted(() => {
    const said = pageOf(++asked)
    return { ...said, headers: { Link: `<${LIST}?last=${asked}>; rel="next"` } }
  })
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
  const repository = openRepository({ host: 'reg.example.com', repository: 'team/app' }, { hosts, side: 'source' })
  await expect(all(repository.tags())).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: expect.stringContaining(what) as string,
  })
  expect(asked).toBe(pages)
})

test('what is no list is told, and which repository is not there', async () => {
  await expect(tagsOf({ [`${LIST}?n=1000`]: { status: 200, body: '<html>' } }).tags).rejects.toThrow(
    'tags of reg.example.com/team/app: not JSON',
  )
  await expect(tagsOf({}).tags).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

describe('nextOf()', () => {
  test.each([
    ['nothing', [], undefined],
    ['another relation', ['</a>; rel="prev"'], undefined],
    ['several relations of one link', ['</a>; rel="first next"'], '/a'],
    ['several links in one header', ['</a>; rel="prev", </b?x=1,2>; title="a, b"; rel=next'], '/b?x=1,2'],
    ['several headers', ['</a>; rel=prev', '</b>;rel=NEXT'], '/b'],
    ['a link that is broken', ['/a; rel="next"'], undefined],
  ])('reads %s', (_name, links, expected) => {
    expect(nextOf(links)).toBe(expected)
  })
})
