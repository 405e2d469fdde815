import { limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Blob } from '../content/blob.ts'
import type { Pushed, Target } from '../content/ports.ts'
import { RegistryError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { CopyEvent, OnCopyEvent } from './event.ts'
import { settle } from './settle.ts'
import { survey, type PlanOptions } from './plan.ts'
import { CONCURRENCY, readGraph, type ContentOf, type Graph, type GraphNode } from './walk.ts'

export interface CopyOptions extends PlanOptions {
  readonly onEvent?: OnCopyEvent | undefined
}

/** Some content of a copy, in the order in which it has to be there. */
export interface Part {
  readonly descriptors: readonly Descriptor[]
  readonly bytes: number
}

/** How everything that a root consists of came to be at one target. */
export interface CopyResult {
  /** `bytes` is what went over the wire: what was sent twice counts twice. */
  readonly sent: Part
  readonly mounted: Part
  readonly existing: Part
}

/**
 * Makes a root and all it consists of exist at a target: blobs before their manifest, manifests by digest, the root last,
 * every digest once. Nothing is tagged.
 *
 * A failure does not stop what does not depend on it, because bytes that are there spare the next attempt; what depends
 * on it is not pushed.
 *
 * @throws the failure, or an AggregateError of all in the order of the graph; the signal's reason as it is
 */
export async function copyGraph(
  contentOf: ContentOf,
  root: Descriptor,
  target: Target,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { mountFrom, concurrency = CONCURRENCY, onEvent = (): void => undefined, signal } = options
  const { graph, there } = await survey(contentOf, root, target, options)
  const slot = limit(concurrency)
  const outcomes = new Map<Digest, Outcome>(graph.map(({ blob }) => [blob.descriptor.digest, { blob }]))

  async function push(node: GraphNode): Promise<void> {
    const { blob } = node
    const pushed = await slot(() => pushNode(node, target, { mountFrom, onEvent, signal }))
    const before = outcomes.get(blob.descriptor.digest)?.pushed
    outcomes.set(blob.descriptor.digest, { blob, pushed: together(before, pushed) })
    onEvent(doneEvent(node, pushed))
  }

  async function pushAnyhow(node: GraphNode): Promise<void> {
    try {
      await push(node)
    } catch (error) {
      if (node.children.length === 0 || !saysContentIsMissing(error)) throw error
      // The target had a manifest without what belongs to it, or forgot: ask about each, send what is not there.
      for (const one of await readGraph(contentOf, node.blob.descriptor, { concurrency, signal })) await push(one)
    }
  }

  await carry(
    graph,
    async node => {
      if (!there.has(node)) return pushAnyhow(node)
      const kept = { how: 'exists', bytes: 0 } as const
      outcomes.set(node.blob.descriptor.digest, { blob: node.blob, pushed: kept })
      onEvent(doneEvent(node, kept))
    },
    { signal },
  )
  return resultOf([...outcomes.values()])
}

/** Runs `work` for every node whose children it succeeded for. */
async function carry(graph: Graph, work: (node: GraphNode) => Promise<void>, { signal }: Abortable): Promise<void> {
  const done = new Map<GraphNode, Promise<boolean>>()
  const own: Promise<boolean>[] = []
  for (const node of largestFirst(graph)) {
    const children = node.children.map(child => done.get(child) ?? Promise.resolve(false))
    const task = Promise.all(children).then(async complete => {
      if (complete.includes(false)) return false
      signal?.throwIfAborted()
      await work(node)
      return true
    })
    own.push(task)
    done.set(
      node,
      task.catch(() => false),
    )
  }
  await settle(own, signal)
}

/** Blobs before manifests and the largest at once, so that it is not the last one that all wait for. */
function largestFirst(graph: Graph): Graph {
  const size = ({ blob, children }: GraphNode): number => (children.length > 0 ? -1 : blob.descriptor.size)
  return [...graph].sort((a, b) => size(b) - size(a))
}

async function pushNode(
  { blob, isManifest }: GraphNode,
  target: Target,
  { mountFrom, onEvent, signal }: Required<Pick<CopyOptions, 'mountFrom' | 'onEvent' | 'signal'>>,
): Promise<Pushed> {
  signal?.throwIfAborted()
  if (isManifest) return target.push(blob, { signal })
  const { descriptor } = blob
  onEvent?.({ type: 'blob-start', blob: descriptor })
  return target.push(blob, {
    mountFrom: mountFrom?.(descriptor),
    onBytes: bytes => onEvent?.({ type: 'blob-progress', blob: descriptor, bytes }),
    signal,
  })
}

/** What was sent and is asked for once more stays sent. */
function together(before: Pushed | undefined, now: Pushed): Pushed {
  if (!before) return now
  return { how: now.how === 'exists' ? before.how : now.how, bytes: before.bytes + now.bytes }
}

function doneEvent({ isManifest, blob: { descriptor } }: GraphNode, pushed: Pushed): CopyEvent {
  return isManifest
    ? { type: 'manifest-done', manifest: descriptor, ...pushed }
    : { type: 'blob-done', blob: descriptor, ...pushed }
}

const MISSING: ReadonlySet<string> = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'])

/** distribution-spec, "Error codes": what a registry answers to a manifest when it has not all that belongs to it. */
function saysContentIsMissing(error: unknown): boolean {
  return error instanceof RegistryError && error.side === 'target' && error.codes.some(code => MISSING.has(code))
}

interface Outcome {
  readonly blob: Blob
  readonly pushed?: Pushed
}

function resultOf(outcomes: readonly Outcome[]): CopyResult {
  const part = (how: Pushed['how']): Part => {
    const some = outcomes.filter(({ pushed }) => pushed?.how === how)
    const descriptors = some.map(({ blob }) => blob.descriptor)
    const wire = some.reduce((sum, { pushed }) => sum + (pushed?.bytes ?? 0), 0)
    return { descriptors, bytes: how === 'uploaded' ? wire : descriptors.reduce((sum, { size }) => sum + size, 0) }
  }
  return { sent: part('uploaded'), mounted: part('mounted'), existing: part('exists') }
}
