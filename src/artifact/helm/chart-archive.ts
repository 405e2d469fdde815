import { posix } from 'node:path'
import { compressionOf, decompress } from '../../archive/decompress.ts'
import { readTar, type TarMember } from '../../archive/tar/read.ts'
import { messageOf } from '../../errors.ts'
import type { ReadFilesOptions } from './chart-directory.ts'
import type { ChartFile, Findings } from './chart.ts'
import { FileBudget, withoutBom } from './file-limits.ts'

/**
 * The files of a packaged chart, without the folder around them, as helm sees them: of two with one name the last.
 *
 * @param where names the package in findings
 */
export async function readChartArchive(
  archive: Uint8Array,
  where: string,
  findings: Findings,
  { signal, ...limits }: ReadFilesOptions,
): Promise<readonly ChartFile[]> {
  const files = new Map<string, Uint8Array>()
  if (compressionOf(archive) !== 'gzip') {
    findings.problems.push(`${where}: is not compressed with gzip, so helm does not read it`)
    return []
  }
  const budget = new FileBudget(where, limits, findings)
  try {
    for await (const { entry, body } of readTar(decompress(once(archive), { from: where, signal }), { signal })) {
      if (entry.type === 'directory') continue
      const path = pathInChart(entry.path)
      if (path === undefined) findings.problems.push(`${where}: ${JSON.stringify(entry.path)} is not inside its folder`)
      else if (entry.type !== 'file') findings.problems.push(`${where}: ${path} is a ${entry.type}, not a file`)
      else if (budget.take(path, entry.size)) files.set(path, withoutBom(await whole(body)))
      else if (entry.size > 0 && findings.problems.length > 100) break
    }
  } catch (error) {
    signal?.throwIfAborted()
    findings.problems.push(`${where}: ${messageOf(error)}`)
  }
  return [...files].map(([path, bytes]) => ({ path, bytes }))
}

/** undefined for what helm refuses. */
function pathInChart(path: string): string | undefined {
  const delimiter = path.includes('\\') ? '\\' : '/'
  const rest = path.split(delimiter).slice(1).join('/')
  const clean = posix.normalize(rest)
  if (rest.startsWith('/') || clean === '.' || clean.startsWith('..') || /^[a-zA-Z]:\//.test(clean)) return undefined
  return clean
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes)
}

async function whole(body: TarMember['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
