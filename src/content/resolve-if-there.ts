import type { Abortable } from '../async/abortable.ts'
import { isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Source } from './ports.ts'

/** What a name stands for; undefined where there is nothing of that name. Every other failure is thrown. */
export async function resolveIfThere(
  source: Pick<Source, 'resolve'>,
  name: string,
  io: Abortable,
): Promise<Descriptor | undefined> {
  try {
    return await source.resolve(name, io)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
