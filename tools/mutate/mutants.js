// Small wrong changes (mutants) of a TypeScript source, each as a replacement of text.
import ts from 'typescript'
import { regexMutants } from './regex.js'

const BINARY = {
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: ['!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: ['==='],
  [ts.SyntaxKind.LessThanToken]: ['<=', '>='],
  [ts.SyntaxKind.LessThanEqualsToken]: ['<', '>'],
  [ts.SyntaxKind.GreaterThanToken]: ['>=', '<='],
  [ts.SyntaxKind.GreaterThanEqualsToken]: ['>', '<'],
  [ts.SyntaxKind.PlusToken]: ['-'],
  [ts.SyntaxKind.MinusToken]: ['+'],
  [ts.SyntaxKind.AsteriskToken]: ['/'],
  [ts.SyntaxKind.SlashToken]: ['*'],
  [ts.SyntaxKind.PercentToken]: ['*'],
  [ts.SyntaxKind.AmpersandToken]: ['|'],
  [ts.SyntaxKind.BarToken]: ['&'],
  [ts.SyntaxKind.LessThanLessThanToken]: ['>>'],
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: ['<<'],
  [ts.SyntaxKind.PlusEqualsToken]: ['-='],
  [ts.SyntaxKind.MinusEqualsToken]: ['+='],
}

/** A forgotten half of a condition or a forgotten default: either side alone. */
const EITHER = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
])

const METHODS = {
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
}

/** Methods whose result has the type of the receiver, so that the call can be dropped. */
const TRANSPARENT = new Set([
  ...['filter', 'slice', 'subarray', 'sort', 'toSorted', 'reverse', 'toReversed', 'trim', 'trimEnd', 'trimStart'],
  ...['toLowerCase', 'toUpperCase', 'replace', 'replaceAll', 'padStart', 'padEnd', 'normalize'],
])

/**
 * All mutants of a source, in the order of the text.
 *
 * Messages are not mutated, because tests check only how they begin: a string or template with a space between words, and
 * every string within `throw`, `new …Error()` or a property `hint`.
 *
 * @param {string} file path, for the report
 * @param {string} source
 * @returns {{ file: string, start: number, end: number, text: string, mutator: string, line: number, within: string }[]}
 */
export function mutantsOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const found = []
  const text = node => source.slice(node.getStart(tree), node.end)
  const add = (node, mutator, replacement) => {
    const [start, end] = [node.getStart(tree), node.end]
    if (source.slice(start, end) === replacement) return
    const line = tree.getLineAndCharacterOfPosition(start).line + 1
    found.push({ file, start, end, text: replacement, mutator, line, within: nameAround(node) })
  }
  /** Removes an item of a list with the comma after it. */
  const dropItem = (node, list, mutator) => {
    const i = list.indexOf(node)
    const next = list[i + 1]
    const end = next ? next.getStart(tree) : list.hasTrailingComma ? list.end : node.end
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
    found.push({ file, start: node.getStart(tree), end, text: '', mutator, line, within: nameAround(node) })
  }
  const condition = (node, values) => {
    for (const value of values) add(node, 'condition', value)
  }

  const visit = node => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isIfStatement(node)) condition(node.expression, ['true', 'false'])
    else if (ts.isConditionalExpression(node)) condition(node.condition, ['true', 'false'])
    else if (ts.isWhileStatement(node)) condition(node.expression, ['false'])
    else if (ts.isForStatement(node) && node.condition) condition(node.condition, ['false'])
    else if (ts.isForOfStatement(node)) add(node, 'loop removed', ';')
    else if (ts.isBinaryExpression(node)) binary(node)
    else if (ts.isPrefixUnaryExpression(node)) prefix(node)
    else if (ts.isPostfixUnaryExpression(node)) {
      add(node, 'update', `${text(node.operand)}${node.operator === ts.SyntaxKind.PlusPlusToken ? '--' : '++'}`)
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'boolean', 'false')
    else if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'boolean', 'true')
    else if (ts.isReturnStatement(node)) {
      if (node.expression && text(node.expression) !== 'undefined') add(node.expression, 'return value', 'undefined')
    } else if (ts.isExpressionStatement(node)) add(node, 'statement removed', ';')
    else if (ts.isThrowStatement(node)) add(node, 'throw removed', ';')
    else if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) {
      if (!ts.isCaseOrDefaultClause(node.parent)) add(node, 'jump removed', ';')
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      if (!['undefined', 'true', 'false'].includes(text(node.body))) add(node.body, 'return value', 'undefined')
    } else if (ts.isAwaitExpression(node)) add(node, 'await removed', text(node.expression))
    else if (ts.isCallExpression(node)) call(node)
    else if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      if (node.questionDotToken) optional(node)
    } else if (ts.isArrayLiteralExpression(node)) {
      for (const item of node.elements) if (!isMessage(item)) dropItem(item, node.elements, 'item removed')
    } else if (ts.isObjectLiteralExpression(node)) {
      for (const item of node.properties) if (nameOf(item) !== 'hint') dropItem(item, node.properties, 'item removed')
    } else if (ts.isRegularExpressionLiteral(node)) {
      for (const changed of regexMutants(text(node))) add(node, 'regex', changed)
    } else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) string(node)
    else if (ts.isTemplateExpression(node)) {
      if (!isMessage(node)) add(node, 'string', '``')
    }
    ts.forEachChild(node, visit)
  }

  function binary(node) {
    const { left, operatorToken, right } = node
    if (EITHER.has(operatorToken.kind)) {
      add(node, 'either side', text(left))
      add(node, 'either side', text(right))
    }
    // + also concatenates strings.
    const joins = operatorToken.kind === ts.SyntaxKind.PlusToken && [left, right].some(isText)
    if (!joins) for (const one of BINARY[operatorToken.kind] ?? []) add(operatorToken, 'operator', one)
  }

  function prefix(node) {
    const { operator, operand } = node
    const { ExclamationToken, MinusToken, PlusPlusToken, MinusMinusToken } = ts.SyntaxKind
    if (operator === ExclamationToken || operator === MinusToken) add(node, 'negation', text(operand))
    else if (operator === PlusPlusToken) add(node, 'update', `--${text(operand)}`)
    else if (operator === MinusMinusToken) add(node, 'update', `++${text(operand)}`)
  }

  function call(node) {
    const { expression } = node
    if (!ts.isPropertyAccessExpression(expression)) return
    const method = expression.name.text
    if (Object.hasOwn(METHODS, method)) add(expression.name, 'method', METHODS[method])
    if (TRANSPARENT.has(method)) add(node, 'call removed', text(expression.expression))
  }

  function optional(node) {
    const { questionDotToken } = node
    add(questionDotToken, 'optional chaining', ts.isElementAccessExpression(node) ? '' : '.')
  }

  function string(node) {
    const { parent } = node
    if (ts.isPropertyAssignment(parent) && parent.name === node) return
    if (ts.isLiteralTypeNode(parent) || ts.isImportAttribute(parent) || isMessage(node)) return
    add(node, 'string', node.text === '' ? `'mutated'` : `''`)
  }

  visit(tree)
  return found.sort((a, b) => a.start - b.start || a.end - b.end || (a.text < b.text ? -1 : 1))
}

function isText(node) {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
}

function isMessage(node) {
  if (!isText(node)) return false
  const words = ts.isTemplateExpression(node)
    ? [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('x')
    : node.text
  if (/\S\s\S|\p{L}\s|\s\p{L}/u.test(words)) return true
  for (let at = node; at; at = at.parent) {
    if (ts.isThrowStatement(at) || nameOf(at) === 'hint') return true
    if (ts.isNewExpression(at) && /Error$/.test(at.expression.getText())) return true
    if (ts.isFunctionLike(at) || ts.isBlock(at)) return false
  }
  return false
}

function nameOf(node) {
  return (ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)) && ts.isIdentifier(node.name)
    ? node.name.text
    : undefined
}

/** The function, method, class or constant around a node. Unlike a line number, it stays when the file grows. */
function nameAround(node) {
  let name = ''
  for (let at = node; at; at = at.parent) {
    if (at.name && ts.isIdentifier(at.name) && (ts.isFunctionLike(at) || ts.isClassLike(at))) name = at.name.text
    if (ts.isVariableDeclaration(at) && ts.isIdentifier(at.name) && ts.isSourceFile(at.parent.parent.parent)) {
      name = at.name.text
    }
    if (ts.isMethodDeclaration(at)) return at.name.getText()
  }
  return name
}
