import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SbomOptions } from '../../src/artifact/sbom/generate-sbom.ts'
import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { Reference } from '../../src/oci/reference.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const DIGEST = digestOf(new Uint8Array(0))
const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size: 0 }
const platform = { os: 'linux', architecture: 'arm64' }

async function run(...argv: readonly string[]) {
  const { io, out, err } = fakeIo()
  const seen: { reference?: Reference; options?: SbomOptions; values?: FieldValues } = {}
  const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for'))
  const exitCode = await runCli(['sbom', ...argv], io, {
    ...ARTIFACT_PARTS,
    env: {},
    signal: new AbortController().signal,
    version: '1.2.3',
    copy: notAsked,
    publish: notAsked,
    locate: () => ({ source: new MemoryStore(), name: '' }),
    generateSbom: (reference, _deps, options) => {
      Object.assign(seen, { reference, options })
      return Promise.resolve({ subject: manifest, platform, bytes: Buffer.from('{"bom":1}\n'), packages: 3 })
    },
    attachSboms: (reference, _deps, options) => {
      Object.assign(seen, { reference, options })
      const attachments = [{ subject: manifest, platform, manifest, existed: true }]
      return Promise.resolve({ place: 'r.example/a', attachments })
    },
    wire: ({ values, problems }) => {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

test('standard output has the document and nothing else', async () => {
  expect(await run('r.example/a:v1', '--platform', 'linux/arm64', '--username', 'me')).toMatchObject({
    exitCode: 0,
    out: '{"bom":1}\n',
    err: `3 packages in ${DIGEST}\n`,
    reference: { host: 'r.example', repository: 'a', tag: 'v1' },
    options: { platform, toolVersion: '1.2.3' },
    values: { registry: 'r.example', username: 'me' },
  })
})

test('it goes to a file', async () => {
  await using work = await temporaryDirectory()
  const path = join(work.path, 'bom.json')
  expect(await run('r.example/a', '--output', path, '--quiet')).toMatchObject({ exitCode: 0, out: '', err: '' })
  expect(await readFile(path, 'utf8')).toBe('{"bom":1}\n')
})

test('what was attached is printed as references, and whether it was there', async () => {
  expect(await run('r.example/a', '--attach')).toMatchObject({
    exitCode: 0,
    out: `r.example/a@${DIGEST}\n`,
    err: `SBOM of linux/arm64 ${DIGEST}: ${DIGEST} (was there)\n`,
  })
})

test('everything that is wrong with the request is told, before anything is read', async () => {
  const { exitCode, err, options } = await run('r.example/A:', '--platform', 'x', '--attach', '--output', 'f')
  expect({ exitCode, options }).toEqual({ exitCode: 2, options: undefined })
  for (const input of ['REFERENCE', '--platform', '--output']) expect(err).toContain(`  ${input}: `)
})
