// OpenPGP.js is under the LGPL: it stays out of the bundle, as a file of its own that anybody may replace.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the file is in dist/. */
const FILE = 'openpgp/openpgp.min.mjs'
const FROM_CHUNK = `../${FILE}`

/** Makes `import('openpgp')` import the file beside the chunks. Any other way to it would take it into the bundle. */
export const openpgpBeside = {
  name: 'openpgp as a file of its own',
  setup({ onResolve }) {
    onResolve({ filter: /^openpgp(?:\/|$)/ }, ({ path, kind, importer }) => {
      if (path === 'openpgp' && kind === 'dynamic-import') return { path: FROM_CHUNK, external: true }
      const text = `${importer} must load openpgp late, by import('openpgp'): its license keeps it out of the bundle`
      return { errors: [{ text }] }
    })
  },
}

/** The import is relative to a chunk: an entry would look for the file in another folder. */
export function misplacedOpenpgp(outputs) {
  return Object.entries(outputs)
    .filter(([, { imports }]) => imports.some(({ path }) => path === FROM_CHUNK))
    .filter(([file]) => !/(?:^|\/)chunk\/[^/]+$/.test(file))
    .map(([file]) => `${file} loads openpgp, but is not in chunk/: ${FROM_CHUNK} is not there`)
}

/** Puts the file as it was published, its licenses, and where its source is, into dist/openpgp. */
export async function copyOpenpgp(root, outdir) {
  const from = join(root, 'node_modules/openpgp')
  const to = join(outdir, 'openpgp')
  const { version } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'))
  await mkdir(to, { recursive: true })
  await copyFile(join(from, 'dist/node/openpgp.min.mjs'), join(outdir, FILE))
  await copyFile(join(from, 'LICENSE'), join(to, 'LICENSE'))
  await copyFile(join(import.meta.dirname, 'license-texts/GPL-3.0.txt'), join(to, 'GPL-3.0.txt'))
  await writeFile(join(to, 'README.md'), notice(version))
}

/** What licences.txt says of it. */
export const OPENPGP_LICENSE = `${'-'.repeat(80)}
OpenPGP.js (LGPL-3.0-or-later)

Not part of the bundle: oci-publish loads it from openpgp/openpgp.min.mjs to sign
charts and to check their signatures. openpgp/README.md says where its source is
and how to replace it; openpgp/LICENSE and openpgp/GPL-3.0.txt are its license.
`

function notice(version) {
  return `# OpenPGP.js ${version}

\`openpgp.min.mjs\` is OpenPGP.js ${version}, byte for byte as \`dist/node/openpgp.min.mjs\` of the npm package
\`openpgp@${version}\`. oci-publish uses it to sign Helm charts and to check their signatures.

OpenPGP.js is free software under the GNU Lesser General Public License, version 3 or later: see \`LICENSE\` (LGPL) and
\`GPL-3.0.txt\` (GPL, which the LGPL refers to). The file keeps its copyright notices. It comes without any warranty.

## Source

- source of this version: https://github.com/openpgpjs/openpgpjs/tree/v${version}
- the package, with the same file before minification (\`dist/node/openpgp.mjs\`): \`npm pack openpgp@${version}\`
- build: in the source, \`npm ci && npm run build\`; the result is \`dist/node/openpgp.min.mjs\`

## Replace it

The rest of oci-publish is under Apache-2.0 and loads this file by its path when a chart is signed or a signature is checked.
Nothing checks its content: put another build with the same exports in its place, and that build is used. For the action,
do so in a fork or a checkout of this repository, and refer to that (\`uses: ./path\`). You may modify OpenPGP.js for your
own use and reverse engineer oci-publish to debug such modifications.
`
}
