// Writes what is generated from the list of inputs (src/publish/fields.ts): the inputs of action.yml, and the tables of
// docs/inputs.md. The table of outputs comes from action.yml.
//   node tools/inputs.js           writes both files
//   node tools/inputs.js --check   fails if one of them is out of date
import { readFile, writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import { parse, parseDocument, stringify } from 'yaml'
import { FIELD_GROUPS } from '../src/publish/fields.ts'

const FORMS = { list: 'list', lines: 'lines' }
// Only a workflow knows this default.
const DEFAULTS = { 'github-token': '${{ github.token }}' }
const root = new URL('../', import.meta.url)

const cell = text => text.replaceAll('|', '\\|').replaceAll('*', '\\*')
const code = text => (text === undefined ? '' : `\`${text}\``)

function row({ name, kind, choices, sentence, default: byDefault = DEFAULTS[name] }) {
  const form = choices ? choices.map(code).join(', ') : (FORMS[kind] ?? kind)
  return `| ${[code(name), form, code(byDefault), cell(sentence)].join(' | ')} |`
}

async function tables() {
  const sections = FIELD_GROUPS.map(({ title, fields }) => {
    const rows = ['| Input | Form | Default | Description |', '| --- | --- | --- | --- |', ...fields.map(row)]
    return [`### ${title}`, '', ...rows].join('\n')
  })
  return format(sections.join('\n\n'), { parser: 'markdown', printWidth: 120 })
}

function outputsTable(action) {
  const rows = Object.entries(action.outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`)
  return format(['| Output | Description |', '| --- | --- |', ...rows].join('\n'), {
    parser: 'markdown',
    printWidth: 120,
  })
}

function between(before, name, text) {
  const marked = new RegExp(`(<!-- ${name} -->\\n).*?(<!-- /${name} -->)`, 's')
  if (!marked.test(before)) throw new Error(`docs/inputs.md has no <!-- ${name} --> ... <!-- /${name} -->`)
  return before.replace(marked, (_all, begin, end) => `${begin}\n${text}\n${end}`)
}

async function inputsMarkdown(before) {
  const action = parse(await readFile(new URL('action.yml', root), 'utf8'))
  return between(between(before, 'inputs', await tables()), 'outputs', await outputsTable(action))
}

async function actionYml(before) {
  const inputs = FIELD_GROUPS.flatMap(({ fields }) => fields).map(({ name, sentence, default: byDefault }) => {
    const value = byDefault ?? DEFAULTS[name]
    return [name, { description: sentence, ...(value !== undefined && { default: value }) }]
  })
  const document = parseDocument(before)
  document.set('inputs', Object.fromEntries(inputs))
  const text = stringify(document, { lineWidth: 0, singleQuote: true })
  return format(text, { parser: 'yaml', singleQuote: true, printWidth: 120 })
}

for (const [name, make] of [
  ['action.yml', actionYml],
  ['docs/inputs.md', inputsMarkdown],
]) {
  const file = new URL(name, root)
  const before = await readFile(file, 'utf8')
  const after = await make(before)
  if (after === before) continue
  if (process.argv.includes('--check')) throw new Error(`${name} is out of date: run "node tools/inputs.js"`)
  await writeFile(file, after)
}
