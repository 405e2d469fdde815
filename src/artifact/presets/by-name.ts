import { flux } from './flux.ts'
import { modelpack } from './modelpack.ts'
import { opentofu } from './opentofu.ts'
import type { Preset } from './preset.ts'
import { wasm } from './wasm.ts'

/** Kinds of artifacts by the name that a user gives them. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map([
  ['modelpack', modelpack],
  ['wasm', wasm],
  ['flux', flux],
  ['opentofu', opentofu],
])
