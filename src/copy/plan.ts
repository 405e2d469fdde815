import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Target } from '../content/ports.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { settle } from './settle.ts'
import { CONCURRENCY, below, readGraph, type ContentOf, type Graph, type GraphNode, type WalkOptions } from './walk.ts'

/** What a copy does with one manifest or blob. */
export type CopyStep =
  | { readonly do: 'keep'; readonly descriptor: Descriptor; readonly bytes: 0 }
  /** Whether a registry mounts is only known once it was asked to; if it does not, `descriptor.size` bytes are sent. */
  | { readonly do: 'mount?'; readonly descriptor: Descriptor; readonly bytes: 0; readonly from: readonly string[] }
  /** `bytes` go over the wire. */
  | { readonly do: 'send'; readonly descriptor: Descriptor; readonly bytes: number }

export interface PlanOptions extends WalkOptions {
  /** Repositories on the target's host that may hold a blob, likeliest first. */
  readonly mountFrom?: ((blob: Descriptor) => readonly string[]) | undefined
  /** Asks the target about everything, also about what stands below a manifest that it has whole. */
  readonly verify?: boolean | undefined
  /**
   * Does not read manifests that the target has whole: nothing is asked of a source that is copied for the second time, and
   * of what is there only the topmost manifest is told.
   */
  readonly shallow?: boolean | undefined
}

/**
 * What `copyGraph` with the same arguments does, in the order in which it has to be there. The target is only read.
 */
export async function planCopy(
  contentOf: ContentOf,
  root: Descriptor,
  target: Target,
  options: PlanOptions = {},
): Promise<readonly CopyStep[]> {
  const { mountFrom = () => [], concurrency = CONCURRENCY, signal } = options
  const { graph, there, has } = await survey(contentOf, root, target, options)
  const slot = limit(concurrency)
  return settle(
    graph.map(node =>
      slot(async () => {
        signal?.throwIfAborted()
        const { descriptor } = node.blob
        if (there.has(node) || (await has(descriptor))) return keep(descriptor)
        const from = node.isManifest ? [] : mountFrom(descriptor)
        if (from.length > 0) return { do: 'mount?', descriptor, bytes: 0, from } as const
        return { do: 'send', descriptor, bytes: descriptor.size } as const
      }),
    ),
    signal,
  )
}

function keep(descriptor: Descriptor): CopyStep {
  return { do: 'keep', descriptor, bytes: 0 }
}

/** What is to be there, and what is. */
interface Survey {
  readonly graph: Graph
  /** Nothing has to be done for these. */
  readonly there: ReadonlySet<GraphNode>
  /** Asks the target, once for each digest. */
  readonly has: Has
}

type Has = (descriptor: Descriptor) => Promise<boolean>

/** Reads the graph and finds out which manifests the target has whole; with `verify`, trusts none of them. */
export async function survey(
  contentOf: ContentOf,
  root: Descriptor,
  target: Target,
  { verify = false, shallow = false, concurrency, signal }: PlanOptions,
): Promise<Survey> {
  const asked = new Once<Digest, boolean>()
  const has: Has = descriptor => asked.run(descriptor.digest, () => target.has(descriptor, { signal }))
  const isWhole: Has = async manifest => (target.isComplete ? target.isComplete(manifest) : has(manifest))
  const passOver = shallow && !verify ? isWhole : undefined
  const graph = await readGraph(contentOf, root, { passOver, concurrency, signal })
  return { graph, has, there: verify ? new Set() : await trusted(graph, isWhole, { concurrency, signal }) }
}

/**
 * What the target need not be asked about: the manifests that it has whole, and all that stands below them. Of others that it
 * finds, each part is asked about.
 */
async function trusted(
  graph: Graph,
  isWhole: Has,
  { concurrency = CONCURRENCY, signal }: WalkOptions,
): Promise<ReadonlySet<GraphNode>> {
  const slot = limit(concurrency)
  const there = new Set<GraphNode>()
  const ask = async (node: GraphNode): Promise<void> => {
    if (!node.isManifest) return
    if (await slot(() => isWhole(node.blob.descriptor))) there.add(node)
    else await settle(node.children.map(ask), signal)
  }
  const root = graph.at(-1)
  if (root) await ask(root)
  return new Set([...there, ...below(there)])
}
