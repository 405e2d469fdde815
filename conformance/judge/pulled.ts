import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../sample.ts'
import type { Pulled } from './evidence.ts'

/** Reads a layout as anybody would who got it: what it lists has to be there, and to be what it is called. */
export async function readPulled(path: string): Promise<Pulled> {
  const index = await documentAt(join(path, 'index.json'))
  const roots = pointersIn(index?.['manifests'])
  const wrong = new Map<string, readonly string[]>()
  for (const { digest } of roots) wrong.set(digest, await wrongBelow(path, digest))
  return { roots: roots.map(({ digest }) => digest), wrong }
}

async function wrongBelow(path: string, digest: string): Promise<readonly string[]> {
  const [algorithm = '', hex = ''] = digest.split(':')
  const file = join(path, 'blobs', algorithm, hex)
  const bytes = await readFile(file).catch(() => undefined)
  if (!bytes || digestOf(bytes, algorithm === 'sha512' ? 'sha512' : 'sha256') !== digest) return [digest]
  const document = parsed(bytes)
  if (document?.['schemaVersion'] !== 2) return []
  const below = [document['config'], document['layers'], document['manifests']].flatMap(pointersIn)
  const all = await Promise.all(below.map(({ digest: child }) => wrongBelow(path, child)))
  return all.flat()
}

async function documentAt(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await readFile(file).catch(() => undefined)
  return bytes && parsed(bytes)
}

function parsed(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (bytes[0] !== '{'.charCodeAt(0)) return undefined
  try {
    return JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

/** Layers that are kept elsewhere need not be there. */
function pointersIn(value: unknown): readonly { readonly digest: string }[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter(isPointer).filter(one => !('urls' in one))
}

function isPointer(value: unknown): value is { readonly digest: string } {
  return typeof value === 'object' && value !== null && 'digest' in value && typeof value.digest === 'string'
}
