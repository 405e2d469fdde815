// The README's table of inputs, made from the one list of them.
//   node tools/inputs-table.js           puts it between the markers in README.md
//   node tools/inputs-table.js --check   fails when it is not there already
//   node tools/inputs-table.js --print   prints it
import { readFile, writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import { FIELDS } from '../src/publish/fields.ts'

const FORMS = { list: 'list (lines or commas)', lines: 'lines' }
// Not in the list, because only the workflow knows it.
const DEFAULTS = { 'github-token': '${{ github.token }}' }
const README = new URL('../README.md', import.meta.url)
const MARKED = /(<!-- inputs -->\n).*?(<!-- \/inputs -->)/s

const cell = text => text.replaceAll('|', '\\|')
const code = text => (text === undefined ? '' : `\`${text}\``)

function row({ name, kind, choices, sentence, default: byDefault = DEFAULTS[name] }) {
  const form = choices ? choices.map(code).join(', ') : (FORMS[kind] ?? kind)
  return `| ${[code(name), form, code(byDefault), cell(sentence)].join(' | ')} |`
}

const rows = ['| Input | Form | Default | What it is |', '| --- | --- | --- | --- |', ...FIELDS.map(row)]
const table = await format(rows.join('\n'), { parser: 'markdown', printWidth: 120 })

if (process.argv.includes('--print')) process.stdout.write(table)
else {
  const before = await readFile(README, 'utf8')
  if (!MARKED.test(before)) throw new Error('README.md has no <!-- inputs --> ... <!-- /inputs -->')
  const after = before.replace(MARKED, (_all, begin, end) => `${begin}\n${table}\n${end}`)
  if (process.argv.includes('--check') && after !== before) {
    throw new Error('the inputs in README.md are out of date: run "node tools/inputs-table.js"')
  }
  if (after !== before) await writeFile(README, after)
}
