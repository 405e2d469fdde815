// Node's own type stripping keeps lines and columns, so stack traces and coverage stay true. Types are checked by tsc.
import { stripTypeScriptTypes } from 'node:module'

export default { process: source => ({ code: stripTypeScriptTypes(source) }) }
