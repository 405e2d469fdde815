// The licenses of everything that is bundled, from what the bundler really took in.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//
const LICENSE = /^(?:licen[cs]e|copying|notice)/i

/** Licenses that let us bundle a package under Apache-2.0. All but these stop the build. */
const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'])

/**
 * @param inputs `metafile.inputs` of esbuild, with paths relative to `root`
 * @returns one block per bundled package: name, version, license, and its text
 * @throws {Error} naming every package that must not be distributed: its license is not allowed, or has no text
 */
export function licencesOf(inputs, root) {
  const folders = new Set(Object.keys(inputs).flatMap(path => PACKAGE.exec(path)?.[1] ?? []))
  const problems = []
  const packages = [...folders].map(folder => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const title = `${name} ${version} (${license ?? 'no license'})`
    if (!isAllowed(license)) problems.push(`${title}: this license is not on the list of tools/licences.js`)
    const text = textOf(join(root, folder), license, author)
    if (text === undefined) problems.push(`${title}: it has no license text`)
    return { title, text }
  })
  if (problems.length > 0) throw new Error(['packages that must not be bundled:', ...problems].join('\n'))
  packages.sort((a, b) => (a.title < b.title ? -1 : 1))
  const rule = '-'.repeat(80)
  return packages.map(({ title, text }) => `${rule}\n${title}\n\n${text}\n`).join('\n')
}

/** Of an SPDX expression: all parts of an AND, one part of an OR. */
function isAllowed(license) {
  if (typeof license !== 'string') return false
  const whole = license.replace(/^\((.*)\)$/, '$1')
  if (/[()]/.test(whole)) return false
  return whole.split(' OR ').some(part => part.split(' AND ').every(id => ALLOWED.has(id)))
}

/** The files of the package; for a package without any, the standard text of its license. */
function textOf(folder, license, author) {
  const files = readdirSync(folder)
    .filter(file => LICENSE.test(file))
    .sort()
  if (files.length > 0) return files.map(file => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')
  const standard = join(import.meta.dirname, 'license-texts', `${license}.txt`)
  if (!existsSync(standard)) return undefined
  const holder = typeof author === 'string' ? author : author?.name
  const text = readFileSync(standard, 'utf8').trimEnd()
  return holder === undefined ? text : `Copyright (c) ${holder}\n\n${text}`
}
