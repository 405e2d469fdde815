import { OciPublishError } from '../errors.ts'
import { quoted } from './quoted.ts'

declare const parsed: unique symbol

/** The name of a repository, checked. It can be part of a path as it is. Only this file makes one. */
export type Repository = string & { readonly [parsed]: 'Repository' }

/** distribution-spec, "Pulling manifests": the grammar of `<name>`. */
const REPOSITORY = /^[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*)*$/
/** With the host in front (distribution-spec: "many clients impose a limit of 255 characters"). */
export const MAX_NAME = 255

export function isRepository(text: string): text is Repository {
  return text.length <= MAX_NAME && REPOSITORY.test(text)
}

/** @throws {OciPublishError} INVALID_REPOSITORY */
export function parseRepository(text: string): Repository {
  if (isRepository(text)) return text
  throw new OciPublishError('INVALID_REPOSITORY', repositoryProblem(text))
}

/** Why a repository is refused, in words that are safe to print. */
export function repositoryProblem(repository: string): string {
  if (repository === '') return 'there is no repository'
  if (repository.length > MAX_NAME / 2 && REPOSITORY.test(repository)) return 'it is longer than 255 characters'
  if (repository !== repository.toLowerCase()) return `the repository ${quoted(repository)} must be lowercase`
  return `${quoted(repository)} is not a repository name: lowercase letters and digits, separated by ".", "_", "-" or "/"`
}
