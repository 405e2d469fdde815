// What `await import()` takes from a chunk, and what the chunk really exports. Node names the exports of a CommonJS package,
// the bundler's chunk of it has `default` only: what works in the tests is undefined in dist/.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'

/**
 * A sentence for every dynamic import that takes a name which its chunk lacks, in our sources and in every bundled package.
 *
 * @param metafile of esbuild, with paths relative to `root`
 */
export function brokenImports({ inputs, outputs }, root) {
  const entries = Object.values(outputs).filter(({ entryPoint }) => entryPoint !== undefined)
  const exportsOf = new Map(entries.map(({ entryPoint, exports }) => [entryPoint, exports]))
  return Object.entries(inputs).flatMap(([file, { imports }]) => {
    const lazy = imports.filter(({ kind, external }) => kind === 'dynamic-import' && external !== true)
    if (lazy.length === 0) return []
    const chunkOf = new Map(lazy.map(({ original, path }) => [original, path]))
    return takenIn(file, readFileSync(resolve(root, file), 'utf8')).flatMap(({ specifier, names, line }) => {
      const chunk = chunkOf.get(specifier)
      if (chunk === undefined) return []
      const there = exportsOf.get(chunk) ?? []
      const where = `${file}:${line}: import('${specifier}')`
      // What is done with the whole namespace cannot be seen; it is only the same when the package is ESM.
      if (names === undefined && inputs[chunk]?.format !== 'cjs') return []
      if (names === undefined) return [`${where} hands on the namespace of a CommonJS package: take its "default"`]
      const missing = names.filter(name => !there.includes(name))
      if (missing.length === 0) return []
      return [`${where} takes ${missing.join(', ')}; the chunk exports ${there.join(', ') || 'nothing'}`]
    })
  })
}

/** Every `import()` of a file: the names that it takes, or undefined where the namespace as a whole is handed on. */
function takenIn(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = node => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments
      if (specifier && ts.isStringLiteralLike(specifier)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
        found.push({ specifier: specifier.text, names: namesOfPromise(node), line })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `node` is a promise of the namespace. */
function namesOfPromise(node) {
  const { parent } = node
  if (isWrapper(parent)) return namesOfPromise(parent)
  if (ts.isAwaitExpression(parent)) return namesOfValue(parent)
  if (ts.isPropertyAccessExpression(parent) && parent.name.text === 'then' && ts.isCallExpression(parent.parent)) {
    const [callback] = parent.parent.arguments
    return callback && isFunction(callback) ? namesOfBinding(callback.parameters[0]?.name) : undefined
  }
  if (ts.isArrayLiteralExpression(parent)) return namesInPromiseAll(node, parent)
  return ts.isExpressionStatement(parent) ? [] : undefined
}

/** `const [{ a }, { b }] = await Promise.all([import('a'), import('b')])` */
function namesInPromiseAll(node, list) {
  const call = list.parent
  if (!ts.isCallExpression(call) || !ts.isAwaitExpression(call.parent)) return undefined
  let value = call.parent
  while (isWrapper(value.parent)) value = value.parent
  const { parent } = value
  if (!ts.isVariableDeclaration(parent) || !ts.isArrayBindingPattern(parent.name)) return undefined
  const element = parent.name.elements[list.elements.indexOf(node)]
  if (!element || ts.isOmittedExpression(element)) return []
  return element.dotDotDotToken ? undefined : namesOfBinding(element.name)
}

/** `node` is the namespace. */
function namesOfValue(node) {
  const { parent } = node
  if (isWrapper(parent)) return namesOfValue(parent)
  if (ts.isPropertyAccessExpression(parent)) return [parent.name.text]
  if (ts.isElementAccessExpression(parent) && ts.isStringLiteralLike(parent.argumentExpression))
    return [parent.argumentExpression.text]
  if (ts.isVariableDeclaration(parent)) return namesOfBinding(parent.name)
  return ts.isExpressionStatement(parent) ? [] : undefined
}

/** Of `{ a, b: c, 'd': e }`; undefined for a name of its own and for a rest. */
function namesOfBinding(binding) {
  if (binding === undefined) return []
  if (!ts.isObjectBindingPattern(binding)) return undefined
  const names = binding.elements.map(({ dotDotDotToken, propertyName, name }) => {
    const key = propertyName ?? name
    return !dotDotDotToken && (ts.isIdentifier(key) || ts.isStringLiteralLike(key)) ? key.text : undefined
  })
  return names.includes(undefined) ? undefined : names
}

function isWrapper(node) {
  return (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isSatisfiesExpression(node)
  )
}

function isFunction(node) {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node)
}
