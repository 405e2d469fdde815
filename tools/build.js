// Bundles the action and the CLI into dist/: split ESM, heavy parts as lazy chunks. `npm run build`.
import { build } from 'esbuild'
import { rm, writeFile } from 'node:fs/promises'
import { licencesOf } from './licences.js'

const outdir = process.argv[2] ?? 'dist'

await rm(outdir, { recursive: true, force: true })
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
  outdir,
  chunkNames: 'chunk/[name]-[hash]',
  ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
  plugins: [toolkit],
  // What the CycloneDX library asks for if it happens to be there, to write XML, which we do not.
  external: ['xmlbuilder2', 'libxmljs2'],
  ...{ minify: true, keepNames: true, legalComments: 'none', metafile: true },
  // Bundled CommonJS still asks for node's own modules by require.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
})

await writeFile(`${outdir}/licences.txt`, licencesOf(result.metafile.inputs))

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
