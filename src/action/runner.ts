import type * as core from '@actions/core'

/** What the action needs of the toolkit; tests pass one that keeps what it is told. */
export type Runner = Pick<
  typeof core,
  | 'getInput'
  | 'setSecret'
  | 'setOutput'
  | 'setFailed'
  | 'error'
  | 'warning'
  | 'notice'
  | 'info'
  | 'debug'
  | 'isDebug'
  | 'startGroup'
  | 'endGroup'
>
