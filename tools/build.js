// Bundles the action and the CLI into dist/: split ESM, heavy parts as lazy chunks. `npm run build`.
import { build } from 'esbuild'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { brokenImports } from './lazy-imports.js'
import { licencesOf } from './licences.js'
import { copyOpenpgp, misplacedOpenpgp, OPENPGP_LICENSE, openpgpBeside } from './openpgp.js'

const [outdir = 'dist', root = process.cwd()] = process.argv.slice(2)

// The toolkit brings an HTTP client for tokens that we never ask for, half a megabyte. It says nothing about side effects, so
// esbuild keeps what is imported; told that there are none, it keeps what is used.
const toolkit = {
  name: 'only what is used of @actions/core',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@actions\/core$|^\.\/(oidc-utils|platform)\.js$/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'seen') return undefined
      return { ...(await resolve(path, { ...rest, pluginData: 'seen' })), sideEffects: false }
    })
  },
}

const result = await build({
  entryPoints: ['src/main.ts', 'src/cli.ts'],
  outdir: resolve(outdir),
  absWorkingDir: resolve(root),
  chunkNames: 'chunk/[name]-[hash]',
  ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
  plugins: [toolkit, openpgpBeside],
  // What the CycloneDX library asks for if it happens to be there, to write XML, which we do not.
  external: ['xmlbuilder2', 'libxmljs2'],
  ...{ minify: true, keepNames: true, legalComments: 'none', metafile: true },
  // Bundled CommonJS still asks for node's own modules by require.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  write: false,
})

const broken = [...brokenImports(result.metafile, root), ...misplacedOpenpgp(result.metafile.outputs)]
if (broken.length > 0) {
  const advice = 'nothing was written: these imports work in the tests and fail in the bundle'
  process.stderr.write([...broken, advice, ''].join('\n'))
  process.exit(1)
}

const licences = licencesOf(result.metafile.inputs, root)

await rm(outdir, { recursive: true, force: true })
for (const { path, contents } of result.outputFiles) {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, contents, { mode: contents[0] === 0x23 ? 0o755 : 0o644 }) // begins with #!
}
await writeFile(join(outdir, 'licences.txt'), `${licences}\n${OPENPGP_LICENSE}`)
await copyOpenpgp(root, outdir)

// What an entry loads at once, before any import(): the figure to keep small.
const { outputs } = result.metafile
function eager(file, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const { path, kind } of outputs[file].imports)
    if (kind === 'import-statement' && outputs[path]) eager(path, seen)
  return seen
}
for (const [file, { entryPoint }] of Object.entries(outputs)) {
  if (entryPoint !== 'src/main.ts' && entryPoint !== 'src/cli.ts') continue
  const bytes = [...eager(file)].reduce((sum, chunk) => sum + outputs[chunk].bytes, 0)
  process.stdout.write(`${file}: ${Math.round(bytes / 1000)} kB at start\n`)
}
