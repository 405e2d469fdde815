// Mutants that the compiler refuses are no mistakes that could land. `isolatedDeclarations` makes exported types explicit,
// so it is enough to check the mutated file.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** Unused or unreachable code: whoever made the mistake would remove it as well. */
const LEFT_OVER = new Set([6133, 6192, 6196, 6198, 6199, 6205, 7027])

/** @param {string} root of the project */
export function openTypes(root) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root)
  const changed = new Map()
  let version = 0
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => fileNames,
    getScriptVersion: path => (changed.get(path)?.version ?? 0).toString(),
    getScriptSnapshot: path => {
      const text = changed.get(path)?.text ?? (ts.sys.fileExists(path) ? readFileSync(path, 'utf8') : undefined)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
  return {
    /** @returns {boolean} whether the compiler takes the file with this text */
    accepts(file, text) {
      const path = join(root, file)
      changed.set(path, { text, version: ++version })
      const found = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)]
      changed.set(path, { text: undefined, version: ++version })
      return found.every(({ code, category }) => category !== ts.DiagnosticCategory.Error || LEFT_OVER.has(code))
    },
  }
}
