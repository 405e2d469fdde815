import { createHash } from 'node:crypto'
import { closeSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { InputProblem } from '../errors.ts'
import { openRegularFileSync, type FileIdentity } from '../files/regular-file.ts'
import type { SourceOptions } from '../files/source-path.ts'
import type { Platform } from '../oci/platform.ts'
import type { BaseTree } from './base-tree.ts'
import { planEntries, type PlannedEntry } from './entries.ts'
import { fingerprintOf, isSettled, type Fingerprint } from './fingerprint.ts'
import { isAccountFile, type LayerTree } from './layer-tree.ts'
import { expandLine, expandText, usesPlaceholders, type FilesSpec, type LayerSpec, type TarSpec } from './line.ts'
import { problemsOf } from './problem.ts'
import { lookAtTar } from './ready-tar.ts'
import type { ReadyTrees } from './ready-trees.ts'
import type { WalkedFile } from './scan.ts'
import type { TreeEntry } from './tree-entry.ts'
import { walkLine, type Walk } from './walk.ts'

/** Changes whenever the same request would give other bytes. */
export const ASSEMBLY_VERSION = 1

/** A layer decided to the last header, before a single file is read. */
export interface LayerRecipe {
  /** As typed, but for the platform: what is told while it is built. */
  readonly line: string
  readonly content:
    | { readonly kind: 'entries'; readonly entries: readonly PlannedEntry[] }
    | { readonly kind: 'tar'; readonly file: string; readonly found: FileIdentity }
  /** What was asked for, whatever the files are now: where the last result is remembered. */
  readonly key: string
  /** Recipes with an equal `exact` make equal layers: build one of them. */
  readonly fingerprint: Fingerprint
  /** Whether the fingerprint is good for the next run. */
  readonly settled: boolean
}

/** A platform, and what layers for it are laid over. */
export interface LayerTarget {
  readonly platform: Platform
  readonly tree: BaseTree
}

export interface RecipeOptions extends SourceOptions {
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
  /** From `loadReadyTrees`, for lines that stand on a ready tar. */
  readonly readyTrees?: ReadyTrees
}

export interface RecipePlan {
  /** For each target, in that order, a recipe a line. Not to be used when there are problems. */
  readonly recipes: readonly (readonly LayerRecipe[])[]
  /** All that is wrong, each once. */
  readonly problems: readonly InputProblem[]
}

/** Whether the trees of the bases matter at all; a ready tar is a layer whatever is below it. */
export function needsBaseTree(lines: readonly LayerSpec[]): boolean {
  return lines.some(({ kind }) => kind === 'files')
}

/**
 * Decides every layer of every platform, each over the base and the lines before it, and reads no file for it. A line
 * without placeholders is looked up on disk once; where its layers come out the same for several platforms, they share
 * one recipe.
 */
export function planLayers(
  lines: readonly LayerSpec[],
  targets: readonly LayerTarget[],
  options: RecipeOptions,
): RecipePlan {
  const planning: Planning = { ...options, walks: new Map(), steps: new Map(), recipes: new Map() }
  const problems = new Map<string, InputProblem>()
  const last = lines.findLastIndex(({ kind }) => kind === 'files')
  const recipes = targets.map(({ platform, tree }) => {
    let below = tree
    return lines.flatMap((line, i): readonly LayerRecipe[] => {
      const step = stepFor(line, platform, below, planning)
      for (const problem of step.problems) problems.set(problem.problem, problem)
      if (!step.recipe) return []
      if (i < last) below = step.above ??= below.under(treeOf(step.recipe, options))
      return [step.recipe]
    })
  })
  return { recipes, problems: [...problems.values()] }
}

interface Planning extends RecipeOptions {
  /** Of lines without placeholders. */
  readonly walks: Map<LayerSpec, Walk>
  /** What a line without placeholders comes to over a tree, which platforms may share. */
  readonly steps: Map<LayerSpec, Map<BaseTree, Step>>
  readonly recipes: Map<string, LayerRecipe>
}

interface Step {
  readonly recipe?: LayerRecipe
  readonly problems: readonly InputProblem[]
  /** The tree with the layer on top. */
  above?: BaseTree
}

function stepFor(line: LayerSpec, platform: Platform, tree: BaseTree, planning: Planning): Step {
  if (usesPlaceholders(line)) return shared(makeStep(expandLine(line, platform), platform, tree, planning), planning)
  const steps = planning.steps.get(line) ?? new Map<BaseTree, Step>()
  const step = steps.get(tree) ?? shared(makeStep(line, undefined, tree, planning), planning)
  planning.steps.set(line, steps.set(tree, step))
  return step
}

/** Equal recipes become one, so that each is built once. */
function shared(step: Step, { recipes }: Planning): Step {
  if (!step.recipe) return step
  const id = `${step.recipe.key} ${step.recipe.fingerprint.exact}`
  const recipe = recipes.get(id) ?? step.recipe
  recipes.set(id, recipe)
  return { ...step, recipe }
}

function makeStep(spec: LayerSpec, platform: Platform | undefined, tree: BaseTree, planning: Planning): Step {
  const { walks, context, followLinks } = planning
  if (spec.kind === 'tar') return tarStep(spec, platform, { context, followLinks })
  const walk = walks.get(spec) ?? walkLine(spec, { context, followLinks, platform })
  walks.set(spec, walk)
  return walk.problems.length > 0 ? { problems: walk.problems } : filesStep(spec, platform, walk, tree, planning)
}

function filesStep(
  spec: FilesSpec,
  platform: Platform | undefined,
  walk: Walk,
  tree: BaseTree,
  { context, sourceDateEpoch }: RecipeOptions,
): Step {
  const { entries, problems } = planEntries({ spec, walk, tree, sourceDateEpoch, platform })
  if (problems.length > 0) return { problems }
  const { line, ...asked } = spec
  // Directories that come from below rather than from disk are part of the question, not of the answer.
  const given = entries.filter(({ source }) => source === undefined).map(({ entry }) => entry)
  const sources = entries.map(({ source }) => source)
  return {
    problems,
    recipe: {
      line: platform ? expandText(line, platform) : line,
      content: { kind: 'entries', entries },
      key: keyOf({ asked, sourceDateEpoch, context: resolve(context), given }),
      fingerprint: fingerprintOf(entries),
      settled: isSettled(sources, walk.startedMs),
    },
  }
}

function tarStep(spec: TarSpec, platform: Platform | undefined, sources: SourceOptions): Step {
  const says: string[] = []
  const ready = lookAtTar(spec, sources, says)
  if (!ready) return { problems: problemsOf(spec, says, platform) }
  const { file, found, fingerprint, settled } = ready
  const content = { kind: 'tar', file, found } as const
  const line = platform ? expandText(spec.line, platform) : spec.line
  return { problems: [], recipe: { line, content, key: keyOf({ tar: file }), fingerprint, settled } }
}

/** What a layer puts over the tree below it. */
function treeOf({ content }: LayerRecipe, { readyTrees }: RecipeOptions): LayerTree {
  if (content.kind === 'entries') return { entries: content.entries.map(treeEntryOf), whiteouts: [], opaques: [] }
  const tree = readyTrees?.get(content.file)
  // A bug of ours: guessing would let the lines above hide directories of the tar.
  if (!tree) throw new Error(`planLayers: the tree of ${content.file} was not loaded, and other lines stand on it`)
  return tree
}

function treeEntryOf({ entry, source }: PlannedEntry): TreeEntry {
  const { path, mode, uid, gid, type, size } = entry
  if (type === 'symlink') return { path, type, mode, uid, gid, linkTarget: entry.linkPath }
  if (type === 'directory') return { path, type, mode, uid, gid }
  const text = source && isAccountFile(path, size) ? textOf(source) : undefined
  return { path, type: 'file', mode, uid, gid, text }
}

function textOf(source: WalkedFile): string | undefined {
  try {
    const fd = openRegularFileSync(source.path, source)
    try {
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined // building the layer is going to tell
  }
}

function keyOf(question: object): string {
  const text = JSON.stringify({ assembly: ASSEMBLY_VERSION, ...question })
  return `layer/v1/${createHash('sha256').update(text).digest('hex')}`
}
