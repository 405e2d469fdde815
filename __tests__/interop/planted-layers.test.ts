import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tarOf } from '../layer/layer-blob.ts'
import { newKeyPair, openCosign, PASSPHRASE } from '../support/cosign.ts'
import { craneValidate, run, temporaryDirectory } from '../support/peers.ts'
import { publishWithCli } from '../support/published.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'

const PLANTED = 'planted by somebody who may push and not sign\n'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/** Puts another layer under the config that is there, diffIDs and all, as anybody can who may push. */
async function plant({ directHost }: RunningRegistry, repository: string, tag: string): Promise<string> {
  const at = `http://${directHost}/v2/${repository}`
  const layer = gzipSync(await tarOf([{ path: 'app/hello', text: PLANTED }]))
  const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`
  const started = await fetch(`${at}/blobs/uploads/`, { method: 'POST' })
  const location = new URL(started.headers.get('location') ?? '', at)
  location.searchParams.set('digest', digest)
  expect((await fetch(location, { method: 'PUT', body: new Uint8Array(layer) })).status).toBe(201)
  const manifest = (await (await fetch(`${at}/manifests/${tag}`, { headers: { accept: MANIFEST } })).json()) as {
    layers: readonly { readonly digest: string; readonly size: number }[]
  }
  const [first] = manifest.layers
  const body = JSON.stringify({ ...manifest, layers: [{ ...first, digest, size: layer.byteLength }] })
  const headers = { 'content-type': MANIFEST }
  expect((await fetch(`${at}/manifests/${tag}`, { method: 'PUT', headers, body })).status).toBe(201)
  return digest
}

async function exported(reference: string, directory: string): Promise<string> {
  await mkdir(directory)
  await run('crane', ['export', '--insecure', reference, join(directory, 'all.tar')])
  return run('tar', ['-xOf', join(directory, 'all.tar'), 'app/hello'])
}

test.each(REGISTRIES)(
  'on $name what crane exports of a signed image is ours, not what was planted',
  async ({ start }) => {
    await using registry = await start()
    await using other = await startRegistry()
    await using cosign = await openCosign()
    await using work = await temporaryDirectory()
    await mkdir(join(work.path, 'app'))
    await writeFile(join(work.path, 'app/hello'), 'ours\n')
    const pair = await newKeyPair(cosign.path)
    const image = `${registry.host}/team/app`
    const args = ['--images', `${image}:v1`, '--platforms', 'linux/amd64', '--layers', 'app/:/app/']
    const options = { cwd: work.path, env: { COSIGN_PASSWORD: PASSPHRASE } }
    const signing = ['--sign', 'key', '--sign-key', pair.key]

    const honest = await publishWithCli(args, options)
    const planted = await plant(registry, 'team/app', 'v1')
    expect(await exported(`${image}:v1`, join(work.path, 'before'))).toBe(PLANTED)

    // To a second registry it does not come, whether or not anything is signed.
    const second = ['--images', `${other.host}/team/app:v1`]
    const both = await publishWithCli([...args, ...second], options)
    expect(both.digest).toBe(honest.digest)
    await plant(registry, 'team/app', 'v1')
    const signed = await publishWithCli([...args, ...second, ...signing], options)
    expect(signed.digest).toBe(honest.digest)
    expect(JSON.stringify(signed)).not.toContain(planted)
    for (const [i, reference] of [`${image}:v1`, `${other.host}/team/app:v1`].entries()) {
      expect(await exported(reference, join(work.path, `after-${i}`))).toBe('ours\n')
      await craneValidate(reference)
    }
  },
)
