import { startSpecRegistry } from '../../../conformance/server/registry.ts'
import { INDEX, MANIFEST, ask, digestOf, errorCodes, imageOf, putManifest, startUpload } from './ask.ts'

describe('manifests', () => {
  test('what points at content that is not there is refused, and all of it is named', async () => {
    await using registry = await startSpecRegistry()
    const layers = ['one', 'two'].map(text => ({ mediaType: 'x/layer', digest: digestOf(text), size: 3 }))

    const response = await putManifest(registry, 'v1', await imageOf(registry, { layers }))

    expect(response.status).toBe(400)
    const { errors } = (await response.json()) as { errors: { code: string; detail: unknown }[] }
    expect(errors.map(({ code, detail }) => ({ code, detail }))).toEqual(
      layers.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } })),
    )
    expect(registry.manifest('team/app', 'v1')).toBeUndefined()
  })

  test('an index wants its children first', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    const digest = digestOf(JSON.stringify(image))
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: MANIFEST, digest, size: 1 }] }
    expect(await errorCodes(await putManifest(registry, 'v1', index))).toEqual(['MANIFEST_BLOB_UNKNOWN'])

    await putManifest(registry, digest, image)
    expect((await putManifest(registry, 'v1', index)).status).toBe(201)
  })

  test('several tags move in one request where the registry says so', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    const digest = digestOf(JSON.stringify(image))

    const response = await putManifest(registry, `${digest}?tag=v1&tag=latest`, image)

    expect(response.headers.get('oci-tag')).toBe('v1, latest')
    expect(registry.tags('team/app')).toEqual(
      new Map([
        ['v1', digest],
        ['latest', digest],
      ]),
    )
    const many = Array.from({ length: 11 }, (_, i) => `tag=t${i}`).join('&')
    expect((await putManifest(registry, `${digest}?${many}`, image)).status).toBe(414)
  })

  test('without that, ?tag= is ignored and there is no OCI-Tag, as on most registries', async () => {
    await using registry = await startSpecRegistry({ multiTag: false })
    const image = await imageOf(registry)
    const response = await putManifest(registry, `${digestOf(JSON.stringify(image))}?tag=v1`, image)
    expect([response.status, response.headers.get('oci-tag')]).toEqual([201, null])
    expect(registry.tags('team/app').size).toBe(0)
  })

  test('an immutable tag is not moved, not even to where it is, as on ECR', async () => {
    await using registry = await startSpecRegistry({ immutableTags: true })
    const image = await imageOf(registry)
    expect((await putManifest(registry, 'v1', image)).status).toBe(201)
    expect(await errorCodes(await putManifest(registry, 'v1', image))).toEqual(['TAG_INVALID'])
    expect(await errorCodes(await putManifest(registry, 'v1', { ...image, annotations: {} }))).toEqual(['TAG_INVALID'])
    expect(registry.tags('team/app').get('v1')).toBe(digestOf(JSON.stringify(image)))
  })

  test('a repository that nobody has made is unknown where pushing does not make one, as on ECR', async () => {
    await using registry = await startSpecRegistry({ createOnPush: false, repositories: ['team/app'] })
    await startUpload(registry)
    const other = await ask(registry, '/v2/team/other/blobs/uploads/', { method: 'POST' })
    expect([other.status, await errorCodes(other)]).toEqual([404, ['NAME_UNKNOWN']])
  })

  test.each([
    ['nothing', undefined, 200],
    ['the type', `${INDEX}, ${MANIFEST};q=0.5`, 200],
    ['anything', 'application/*', 200],
    ['another type only', INDEX, 404],
  ])('a manifest is there for a client that accepts %s', async (_name, accept, status) => {
    await using registry = await startSpecRegistry()
    await putManifest(registry, 'v1', await imageOf(registry))
    const response = await ask(
      registry,
      '/v2/team/app/manifests/v1',
      accept === undefined ? {} : { headers: { accept } },
    )
    expect(response.status).toBe(status)
  })

  test('tags come in pages', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    for (const tag of ['c', 'a', 'b']) await putManifest(registry, tag, image)

    const first = await ask(registry, '/v2/team/app/tags/list?n=2')
    const link = first.headers.get('link') ?? ''
    const second = await ask(registry, /^<([^>]*)>; rel="next"$/.exec(link)?.[1] ?? '')

    expect(await first.json()).toEqual({ name: 'team/app', tags: ['a', 'b'] })
    expect(await second.json()).toEqual({ name: 'team/app', tags: ['c'] })
    expect(second.headers.get('link')).toBeNull()
  })

  test('what refers to a subject is listed, by type and in pages', async () => {
    await using registry = await startSpecRegistry({ referrersPerPage: 1 })
    const subject = { mediaType: MANIFEST, digest: digestOf('subject'), size: 7 }
    const put = async (artifactType: string): Promise<void> => {
      const response = await putManifest(registry, artifactType, await imageOf(registry, { artifactType, subject }))
      expect(response.headers.get('oci-subject')).toBe(subject.digest)
    }
    await put('signature')
    await put('sbom')
    await put('sbom.old')
    const list = `/v2/team/app/referrers/${subject.digest}`

    const all = await ask(registry, list)
    expect(all.headers.get('link')).toBe(`<${list}?from=1>; rel="next"`)
    const filtered = await ask(registry, `${list}?artifactType=sbom`)
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(filtered.headers.get('link')).toBeNull()
    const { manifests } = (await filtered.json()) as { manifests: unknown[] }
    expect(manifests).toEqual([expect.objectContaining({ artifactType: 'sbom', mediaType: MANIFEST })])
  })

  test('without the referrers API there is neither a list nor OCI-Subject', async () => {
    await using registry = await startSpecRegistry({ referrers: false })
    const subject = { mediaType: MANIFEST, digest: digestOf('subject'), size: 7 }
    const pushed = await putManifest(registry, 'x', await imageOf(registry, { subject }))
    expect(pushed.headers.get('oci-subject')).toBeNull()
    expect((await ask(registry, `/v2/team/app/referrers/${subject.digest}`)).status).toBe(404)
  })

  const SUBJECT = { mediaType: MANIFEST, digest: digestOf('subject'), size: 7 }
  const LIST = `/v2/team/app/referrers/${SUBJECT.digest}`

  test('of two that are pushed at the same moment one is listed, where the list is changed without a lock', async () => {
    for (const [options, listed] of [[{ racyReferrers: true }, 1] as const, [{}, 2] as const]) {
      await using registry = await startSpecRegistry(options)
      const images = await Promise.all(
        ['one', 'other'].map(artifactType => imageOf(registry, { artifactType, subject: SUBJECT })),
      )
      const answers = await Promise.all(
        images.map(image => putManifest(registry, digestOf(JSON.stringify(image)), image)),
      )
      expect(answers.map(({ status }) => status)).toEqual([201, 201])
      const { manifests } = (await (await ask(registry, LIST)).json()) as { manifests: unknown[] }
      expect(manifests).toHaveLength(listed)
    }
  })

  test.each([
    ['lost from the list', { unlisted: true }, [0, 0]],
    ['listed late', { lagLists: 1 }, [0, 1]],
  ] as const)('a fault has what is pushed %s', async (_name, fault, counts) => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry, { subject: SUBJECT })
    registry.fail({ method: 'PUT', path: '/manifests/' }, fault)
    expect((await putManifest(registry, digestOf(JSON.stringify(image)), image)).status).toBe(201)
    for (const count of counts) {
      const { manifests } = (await (await ask(registry, LIST)).json()) as { manifests: unknown[] }
      expect(manifests).toHaveLength(count)
    }
  })

  test('a manifest of another repository is found by its digest where one store serves all, and its blobs are not', async () => {
    await using registry = await startSpecRegistry({ manifestsEverywhere: true })
    const image = await imageOf(registry)
    const digest = digestOf(JSON.stringify(image))
    await putManifest(registry, digest, image)
    expect((await ask(registry, `/v2/team/other/manifests/${digest}`)).status).toBe(200)
    expect((await ask(registry, `/v2/team/other/blobs/${digestOf('{}')}`)).status).toBe(404)
    expect(registry.missing('team/other', digest)).toEqual([digest])
  })

  test('a picky registry refuses types that it does not know, and an index as subject', async () => {
    await using registry = await startSpecRegistry({
      knownTypes: ['application/vnd.oci.image.config.v1+json'],
      indexAsSubject: 'MANIFEST_BLOB_UNKNOWN',
    })
    const strange = await putManifest(registry, 'x', await imageOf(registry, { artifactType: 'a/b' }))
    expect(await errorCodes(strange)).toEqual(['MANIFEST_INVALID'])
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [] }
    const digest = digestOf(JSON.stringify(index))
    await putManifest(registry, digest, index)
    const subject = { mediaType: INDEX, digest, size: 1 }
    const refused = await putManifest(registry, 'y', await imageOf(registry, { subject }))
    expect(await errorCodes(refused)).toEqual(['MANIFEST_BLOB_UNKNOWN'])
  })
})
