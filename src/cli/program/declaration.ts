import type { Field } from '../../publish/fields.ts'
import { CONNECTION, type Flags } from '../flags.ts'
import type { Io } from '../io.ts'
import type { CliParts } from '../publish.ts'

/** A command as it is typed and as its help shows it: data, but for what it runs. */
export interface Declaration {
  readonly name: string
  readonly description: string
  /** As commander has them: `<from>`, `[files...]`, and what they are. */
  readonly words?: readonly (readonly [name: string, said: string])[]
  /** In the order of the help. */
  readonly sections: readonly Section[]
  /** Shown after the help. */
  readonly after?: string
  /**
   * @param words as they were typed; those that must be there are
   * @returns the exit code: 0 done, 1 it failed, 2 the request is wrong, 130 stopped
   */
  run<D>(words: readonly string[], flags: Flags, io: Io, parts: CliParts<D>): Promise<number>
}

/** Commands under a name of their own, as `artifact push`. */
export interface Family {
  readonly name: string
  readonly description: string
  readonly commands: readonly Declaration[]
}

/** A flag that is no field of a publication. */
export interface Flag {
  /** As commander has it: `--output <directory>`. */
  readonly flag: string
  readonly said: string
  /** May be given more than once. */
  readonly repeatable?: boolean
  readonly byDefault?: string
}

interface Section {
  /** That of commander where there is none. */
  readonly heading?: string
  readonly options: readonly (Flag | Field)[]
}

/** Places of images and artifacts, for descriptions of words. */
export const PLACES = 'host/repository[:tag][@digest], oci:DIR[:NAME] or oci-archive:FILE[:NAME]'

export const JSON_REPORT: Flag = { flag: '--json', said: 'print the report as one JSON object' }
export const JSON_OBJECT: Flag = { flag: '--json', said: 'print one JSON object' }
export const QUIET: Flag = { flag: '--quiet', said: 'print errors only' }
export const PASSWORD_STDIN: Flag = { flag: '--password-stdin', said: 'read the password from standard input' }

/** What is peculiar to the command. */
export function own(...options: Section['options']): Section {
  return { options }
}

/** Which of its results it prints, and how. */
export function told(...options: Section['options']): Section {
  return { heading: 'Output:', options }
}

/** Credentials and the like, of every command that asks a registry; before them what the command adds. */
export function reached(...more: Section['options']): Section {
  return { heading: 'Registry access:', options: [...more, ...CONNECTION, PASSWORD_STDIN] }
}
