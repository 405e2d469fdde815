import type { ArtifactWords } from '../artifact/parse-artifact.ts'
import type { InputProblem } from '../errors.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import { parseAnnotation } from './parse-annotations.ts'
import { parseOutputs } from './parse-outputs.ts'
import { parseEpoch, type RequestFacts } from './parse-request.ts'

/** Files to publish as an artifact, understood as far as that goes without looking at them. */
export interface ParsedFiles {
  readonly words: ArtifactWords
  readonly problems: readonly InputProblem[]
  readonly notices: readonly string[]
}

/** Reads what is asked for an artifact, and finds every problem that can be seen without looking at files. Touches nothing. */
export function parseFiles(values: FieldValues, facts: RequestFacts): ParsedFiles {
  const entries = readEntries(values)
  const problems: InputProblem[] = []
  const { outputs, notices } = parseOutputs(entries, facts.defaultLayout, problems)
  const words = {
    outputs,
    files: entries.of('files'),
    preset: entries.text('artifact-preset'),
    artifactType: entries.text('artifact-type'),
    config: entries.text('artifact-config'),
    metadata: entries.of('artifact-model'),
    annotations: entries.of('annotations').flatMap(line => annotationOf(line, problems)),
    context: entries.text('context') ?? '.',
    followLinks: entries.boolean('follow-links', problems),
    onExistingTag:
      entries.text('on-existing-tag') === undefined
        ? 'overwrite'
        : entries.choice('on-existing-tag', ['overwrite', 'fail', 'skip'], problems),
    dryRun: entries.boolean('dry-run', problems),
    sourceDateEpoch: parseEpoch(entries, facts.sourceDateEpoch, problems),
  } as const
  return { words, problems, notices }
}

/** An artifact is one manifest: what is said of other levels or platforms has no place. */
function annotationOf(line: string, problems: InputProblem[]): readonly string[] {
  return parseAnnotation(line, problems).flatMap(({ levels, platform, key, value }) => {
    if (levels.includes('manifest') && platform === undefined) return [`${key}=${value}`]
    problems.push({ input: 'annotations', problem: `"${line}": an artifact is one manifest, without platforms` })
    return []
  })
}
