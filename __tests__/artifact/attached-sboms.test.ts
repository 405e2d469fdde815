import { writeFile } from 'node:fs/promises'
import { checkAttachedSboms } from '../../src/artifact/attached-sboms.ts'
import { findFiles } from '../../src/artifact/find-files.ts'
import { tempDir } from '../layout/temp-dir.ts'
import { CYCLONEDX_DOCUMENT, SPDX_DOCUMENT } from './sbom-documents.ts'

const SPDX = 'application/spdx+json'
const CYCLONEDX = 'application/vnd.cyclonedx+json'

async function check(text: string, type: string): Promise<readonly string[]> {
  await using dir = await tempDir()
  await writeFile(dir.in('sbom.json'), text)
  const notices: string[] = []
  const files = await findFiles(['sbom.json'], { context: dir.in('.') })
  await checkAttachedSboms(files, { typeOf: () => type, onNotice: notice => notices.push(notice) })
  return notices
}

test.each([
  ['SPDX', SPDX_DOCUMENT, SPDX],
  ['CycloneDX', CYCLONEDX_DOCUMENT, CYCLONEDX],
  ['what is no SBOM', 'anything', 'text/plain'],
])('%s as it should be is attached without a word', async (_name, text, type) => {
  expect(await check(text, type)).toEqual([])
})

test.each([
  ['CycloneDX under the type of SPDX, where nobody would find it', CYCLONEDX_DOCUMENT, SPDX, 'is CycloneDX 1.6, not'],
  ['SPDX that lacks what it must have', '{"spdxVersion":"SPDX-2.3"}', SPDX, 'documentNamespace'],
  [
    'CycloneDX that its schema refuses',
    '{"bomFormat":"CycloneDX","specVersion":"1.6","version":"x"}',
    CYCLONEDX,
    'version',
  ],
  ['a document of another kind', '{}', SPDX, 'neither SPDX'],
  ['no JSON', 'SPDXVersion: SPDX-2.3', SPDX, 'not JSON'],
])('%s is refused before anything is sent', async (_name, text, type, problem) => {
  await expect(check(text, type)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(check(text, type)).rejects.toThrow(problem)
})

test('SPDX 3, which cannot be checked, is attached and the user told so', async () => {
  const text = '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}'
  expect(await check(text, SPDX)).toEqual([expect.stringContaining('SPDX 3 is not checked')])
})
