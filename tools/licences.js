// The licences of everything that is bundled, from what the bundler really took in.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//
const LICENCE = /^(?:licen[cs]e|copying|notice)/i

/**
 * @param inputs `metafile.inputs` of esbuild
 * @throws {Error} for a package without a licence text: it must not be distributed
 */
export function licencesOf(inputs) {
  const folders = new Set(Object.keys(inputs).flatMap(path => PACKAGE.exec(path)?.[1] ?? []))
  const packages = [...folders].map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder)
      .filter(file => LICENCE.test(file))
      .sort()
    if (files.length === 0 && license === undefined) throw new Error(`${name}@${version} has no licence`)
    const texts = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
    return { title: `${name} ${version} (${license ?? 'see below'})`, text: texts.join('\n\n') }
  })
  packages.sort((a, b) => (a.title < b.title ? -1 : 1))
  const rule = '-'.repeat(80)
  return packages.map(({ title, text }) => `${rule}\n${title}\n\n${text}\n`).join('\n')
}
