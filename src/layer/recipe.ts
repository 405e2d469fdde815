import { createHash } from 'node:crypto'
import { statSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, type InputProblem } from '../errors.ts'
import type { Platform } from '../oci/platform.ts'
import type { BaseTree } from './base-tree.ts'
import { planEntries, type PlannedEntry } from './entries.ts'
import { fingerprintOf, fingerprintOfFile, isSettled, type Fingerprint } from './fingerprint.ts'
import { expandLine, usesPlaceholders, type FilesSpec, type LayerSpec, type TarSpec } from './line.ts'
import { problemsOf } from './problem.ts'
import { walkedFile } from './scan.ts'
import { walkLine, type Walk } from './walk.ts'

/** Changes whenever the same request would give other bytes. */
export const ASSEMBLY_VERSION = 1

/** A layer decided to the last header, before a single file is read. */
export interface LayerRecipe {
  /** As typed. */
  readonly line: string
  readonly content:
    | { readonly kind: 'entries'; readonly entries: readonly PlannedEntry[] }
    | { readonly kind: 'tar'; readonly file: string }
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

export interface RecipeOptions {
  /** Directory that sources are relative to. */
  readonly context: string
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
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
 * Decides every layer of every platform. A line without placeholders is looked up on disk once; where its layers come out
 * the same for several platforms, they share one recipe.
 */
export function planLayers(
  lines: readonly LayerSpec[],
  targets: readonly LayerTarget[],
  { context, sourceDateEpoch }: RecipeOptions,
): RecipePlan {
  const walks = new Map<LayerSpec, Walk>()
  const recipes = new Map<string, LayerRecipe>()
  const problems = new Map<string, InputProblem>()

  function recipeFor(line: LayerSpec, { platform, tree }: LayerTarget): LayerRecipe | undefined {
    const differs = usesPlaceholders(line)
    const spec = differs ? expandLine(line, platform) : line
    const about = differs ? platform : undefined
    if (spec.kind === 'tar') return kept(tarRecipe(spec, context, about))
    const walk = walks.get(spec) ?? walkLine(spec, { context, platform: about })
    walks.set(spec, walk)
    if (walk.problems.length > 0) return kept({ problems: walk.problems })
    return kept(filesRecipe(spec, walk, { tree, sourceDateEpoch, context, platform: about }))
  }

  function kept(made: Made): LayerRecipe | undefined {
    for (const one of made.problems) problems.set(one.problem, one)
    if (!made.recipe) return undefined
    const id = `${made.recipe.key} ${made.recipe.fingerprint.exact}`
    const same = recipes.get(id) ?? made.recipe
    recipes.set(id, same)
    return same
  }

  const planned = targets.map(target => lines.map(line => recipeFor(line, target)).filter(one => one !== undefined))
  return { recipes: planned, problems: [...problems.values()] }
}

interface Made {
  readonly recipe?: LayerRecipe
  readonly problems: readonly InputProblem[]
}

interface Over extends RecipeOptions {
  readonly tree: BaseTree
  readonly platform: Platform | undefined
}

function filesRecipe(spec: FilesSpec, walk: Walk, { tree, sourceDateEpoch, context, platform }: Over): Made {
  const { entries, problems } = planEntries({ spec, walk, tree, sourceDateEpoch, platform })
  if (problems.length > 0) return { problems }
  const { line, ...asked } = spec
  // Directories that come from the base rather than from disk are part of the question, not of the answer.
  const given = entries.filter(({ source }) => source === undefined).map(({ entry }) => entry)
  return {
    problems,
    recipe: {
      line,
      content: { kind: 'entries', entries },
      key: keyOf({ asked, sourceDateEpoch, context: resolve(context), given }),
      fingerprint: fingerprintOf(entries),
      settled: isSettled(
        entries.map(({ source }) => source),
        walk.startedMs,
      ),
    },
  }
}

function tarRecipe(spec: TarSpec, context: string, platform: Platform | undefined): Made {
  const startedMs = Date.now()
  const file = resolve(context, spec.file)
  const says: string[] = []
  const stats = statOf(file, says)
  const walked = stats?.isFile() === true ? walkedFile(file, '', stats, says) : undefined
  if (stats?.isFile() === false) says.push(`"${spec.file}" is not a file`)
  if (!walked) return { problems: problemsOf(spec, says, platform) }
  return {
    problems: [],
    recipe: {
      line: spec.line,
      content: { kind: 'tar', file },
      key: keyOf({ tar: file }),
      fingerprint: fingerprintOfFile(walked),
      settled: isSettled([walked], startedMs),
    },
  }
}

function statOf(file: string, says: string[]): Stats | undefined {
  try {
    return statSync(file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    says.push(missing ? `there is no file ${file}` : `cannot look at ${file} (${messageOf(error)})`)
    return undefined
  }
}

function keyOf(question: object): string {
  const text = JSON.stringify({ assembly: ASSEMBLY_VERSION, ...question })
  return `layer/v1/${createHash('sha256').update(text).digest('hex')}`
}
