// Makes base images that want to exhaust whoever reads them, runs commands on each, and prints peak memory and seconds.
//
//   node bench/hostile.js [--only NAME,NAME] [--cli FILE] [--timeout 300]
//
// Each run is a process of its own with an empty cache, on a layout in a temporary directory. Beside them are images that
// are only large: those have to work. Needs GNU time.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
    timeout: { type: 'string', default: '300' },
  },
})

const MiB = 1 << 20
const OCI = 'application/vnd.oci.image.'
const LAYER = `${OCI}layer.v1.tar+gzip`

// --- tar

const octal = (number, digits) => `${number.toString(8).padStart(digits, '0')}\0`

function header(name, { size = 0, type = '0', uid = 0, link = '' } = {}) {
  const record = Buffer.alloc(512)
  record.write(name, 0, 100)
  record.write(octal(0o755, 7), 100)
  record.write(octal(uid, 7), 108)
  record.write(octal(0, 7), 116)
  record.write(octal(size, 11), 124)
  record.write(octal(0, 11), 136)
  record.write('        ', 148)
  record.write(type, 156)
  record.write(link, 157, 100)
  record.write('ustar\x0000', 257)
  record.write(
    `${octal(
      record.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  )
  return record
}

const padded = body => Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)])

function file(name, content = '', more = {}) {
  const body = Buffer.from(content)
  const { size = body.length } = more
  return Buffer.concat([header(name, { size, ...more }), padded(body)])
}

function pax(records, type = 'x') {
  const lines = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = rest.length
    while (length !== rest.length + `${length}`.length) length = rest.length + `${length}`.length
    return `${length}${rest}`
  })
  return file('PaxHeader', lines.join(''), { type })
}

const END = Buffer.alloc(1024)
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i))

/** Members of gzip, each of some thousand entries, one after the other: a large archive in little memory. */
function* members(count, make, { each = 20_000 } = {}) {
  for (let from = 0; from < count; from += each) {
    yield gzipSync(Buffer.concat(times(Math.min(each, count - from), i => make(from + i))), { level: 1 })
  }
}

const layerOf = (...parts) => [gzipSync(Buffer.concat([...parts, END]))]

/** A file of so many bytes, all of them zero. */
function* zeros(name, gibibytes) {
  yield gzipSync(header(name, { size: gibibytes * 2 ** 30 }))
  const member = gzipSync(Buffer.alloc(2 ** 30))
  for (let i = 0; i < gibibytes; i++) yield member
}

// --- images in a layout

class Layout {
  constructor(path) {
    this.path = path
    mkdirSync(join(path, 'blobs/sha256'), { recursive: true })
    writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  }

  blob(mediaType, parts) {
    const hash = createHash('sha256')
    const temporary = join(this.path, 'blob')
    let size = 0
    writeFileSync(temporary, '')
    for (const part of parts) {
      hash.update(part)
      size += part.length
      writeFileSync(temporary, part, { flag: 'a' })
    }
    const hex = hash.digest('hex')
    renameSync(temporary, join(this.path, 'blobs/sha256', hex))
    return { mediaType, digest: `sha256:${hex}`, size }
  }

  json(mediaType, document) {
    return this.blob(mediaType, [Buffer.from(JSON.stringify(document))])
  }

  image(layers) {
    const descriptors = layers.map(layer => ('digest' in layer ? layer : this.blob(layer.mediaType ?? LAYER, layer)))
    const diffIDs = layers.map(diffIDOf)
    const config = this.json(`${OCI}config.v1+json`, {
      ...{ os: 'linux', architecture: 'amd64', config: {} },
      rootfs: { type: 'layers', diff_ids: diffIDs },
    })
    return this.json(`${OCI}manifest.v1+json`, {
      ...{ schemaVersion: 2, mediaType: `${OCI}manifest.v1+json`, config, layers: descriptors },
    })
  }

  root(descriptor) {
    const named = { ...descriptor, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
    writeFileSync(join(this.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  }
}

const diffIDs = new WeakMap()

/** Of what is never read to its end, anything will do. */
function diffIDOf(layer) {
  if ('digest' in layer) return diffIDs.get(layer) ?? NO_DIFF_ID
  if (layer.isEndless) return NO_DIFF_ID
  const hash = createHash('sha256')
  for (const part of layer) hash.update(gunzipSync(part))
  return `sha256:${hash.digest('hex')}`
}

const NO_DIFF_ID = `sha256:${'0'.repeat(64)}`
const endless = parts => Object.assign(parts, { isEndless: true })

// --- what is in them

/** A database whose only table has cells that all lead into one chain of overflow pages. */
function rpmDatabase({ pages, cells }) {
  const size = 65_536
  const db = Buffer.alloc(size * (2 + pages))
  db.write('SQLite format 3\0', 0)
  db.writeUInt16BE(1, 16) // 65,536 bytes a page
  const varint = number => {
    const bytes = [number & 0x7f]
    for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
      bytes.unshift((rest & 0x7f) | 0x80)
    return Buffer.from(bytes)
  }
  const text = value => [varint(13 + 2 * value.length), Buffer.from(value)]
  const fields = [text('table'), text('Packages'), text('Packages'), [varint(1), Buffer.of(2)], text('CREATE')]
  const columns = Buffer.concat(fields.map(([type]) => type))
  const record = Buffer.concat([varint(columns.length + 1), columns, ...fields.map(([, value]) => value)])
  const cell = Buffer.concat([varint(record.length), varint(1), record])
  db.writeUInt8(13, 100)
  db.writeUInt16BE(1, 103)
  db.writeUInt16BE(1000, 108)
  cell.copy(db, 1000)
  const leaf = size
  db.writeUInt8(13, leaf)
  db.writeUInt16BE(cells, leaf + 3)
  const total = pages * (size - 4)
  const least = Math.floor(((size - 12) * 32) / 255) - 23
  const local = least + ((total - least) % (size - 4))
  const at = 40_000
  // A record of two columns: nothing, and a blob of all that is left.
  const types = varint(12 + 2 * (total - 6))
  Buffer.concat([varint(total), varint(1), varint(types.length + 2), Buffer.of(0), types]).copy(db, leaf + at)
  const start = at + varint(total).length + 1 // of what the page has of the row
  db.writeUInt32BE(3, leaf + start + (local <= size - 35 ? local : least))
  for (let i = 0; i < cells; i++) db.writeUInt16BE(at, leaf + 8 + i * 2)
  for (let i = 0; i < pages; i++) db.writeUInt32BE(i + 1 < pages ? i + 4 : 0, size * (2 + i))
  return db
}

const npm = name => JSON.stringify({ name, version: '1.0.0', license: 'MIT' })
const name = i => `usr/lib/d${Math.floor(i / 20)}/some-file-${i}.so`
const deep = i => `${'d/'.repeat(1900)}${i}`

const CASES = {
  'large: 300,000 files': layout => layout.image([[...members(300_000, i => file(name(i)))]]),
  'large: 900,000 files': layout => layout.image([[...members(900_000, i => file(name(i)))]]),
  'large: 20,000 npm packages': layout =>
    layout.image([[...members(20_000, i => file(`app/node_modules/p${i}/package.json`, npm(`p${i}`)))]]),
  '20 million entries': layout => {
    const million = [...members(1_000_000, i => file(name(i)))]
    return layout.image([endless(times(20, () => million).flat())])
  },
  'a million owners': layout => layout.image([[...members(1_000_000, i => file(name(i), '', { uid: i }))]]),
  '3,000 directories of 1,900 levels': layout =>
    layout.image([[...members(3000, i => Buffer.concat([pax([['path', `${i}/${deep(i)}`]]), file('x')]))]]),
  '*/etc/passwd, 400 times 1 MiB': layout =>
    layout.image([[...members(400, i => file(`${i}/etc/passwd`, Buffer.alloc(MiB)), { each: 10 })]]),
  '40,000 whiteouts': layout =>
    layout.image([
      [...members(40_000, i => file(`app/node_modules/p${i}/package.json`, npm(`p${i}`)))],
      [...members(40_000, i => file(`app/node_modules/.wh.p${i}`))],
    ]),
  '40,000 whiteouts of one directory': layout =>
    layout.image([
      [...members(40_000, i => file(`app/node_modules/p${i}/package.json`, npm(`p${i}`)))],
      [
        ...members(40_000, i =>
          Buffer.concat([file(`app/node_modules/q${i}/package.json`, npm(`q${i}`)), file('app/.wh..wh..opq')]),
        ),
      ],
    ]),
  'global PAX records, 300,000 entries': layout => {
    const records = times(60_000, i => [`k${i}`, 'v'])
    return layout.image([[gzipSync(pax(records, 'g')), ...members(300_000, i => file(name(i)))]])
  },
  'one global PAX path of 900 kB, 300,000 entries': layout => {
    const global = pax([['path', 'p/'.repeat(450_000)]], 'g')
    return layout.image([[gzipSync(global), ...members(300_000, i => file(name(i)))]])
  },
  '2,000 PAX headers of 900 kB': layout => {
    const records = pax(times(80_000, i => [`k${i}`, 'v']))
    return layout.image([[...members(2000, i => Buffer.concat([records, file(name(i))]), { each: 20 })]])
  },
  'a layer of 200 GiB of zeros': layout => layout.image([endless([...zeros('zeros', 200)])]),
  'a layer of 200 GiB of zeros, zstd': layout => {
    const frame = zstdCompressSync(Buffer.alloc(2 ** 30))
    const layer = [zstdCompressSync(header('zeros', { size: 200 * 2 ** 30 })), ...times(200, () => frame)]
    return layout.image([Object.assign(endless(layer), { mediaType: `${OCI}layer.v1.tar+zstd` })])
  },
  'one layer, 20,000 times': layout => {
    const parts = [...members(2000, i => file(name(i))), gzipSync(END)]
    const layer = layout.blob(LAYER, parts)
    diffIDs.set(layer, diffIDOf(parts))
    return layout.image(times(20_000, () => layer))
  },
  'an index of 2,000, 8 deep': layout => {
    const image = layout.image([layerOf(file('a'))])
    let last = image
    for (let depth = 0; depth < 7; depth++) {
      const manifests = times(2000, i => ({ ...last, annotations: { i: `${depth}.${i}` } }))
      last = layout.json(`${OCI}index.v1+json`, { schemaVersion: 2, mediaType: `${OCI}index.v1+json`, manifests })
    }
    return last
  },
  'an index of 2,000 images without platforms': layout => {
    const manifests = times(2000, i => layout.image([layerOf(file(`f${i}`))]))
    return layout.json(`${OCI}index.v1+json`, { schemaVersion: 2, mediaType: `${OCI}index.v1+json`, manifests })
  },
  'rpm: 12,000 cells, one chain': layout =>
    layout.image([layerOf(file('var/lib/rpm/rpmdb.sqlite', rpmDatabase({ pages: 4, cells: 12_000 })))]),
  'rpm: a database of 500 MiB': layout => {
    const first = rpmDatabase({ pages: 4, cells: 1 })
    const rest = gzipSync(Buffer.alloc(100 * MiB))
    const size = first.length + 500 * MiB
    const head = gzipSync(Buffer.concat([header('var/lib/rpm/rpmdb.sqlite', { size }), first]))
    return layout.image([[head, ...times(5, () => rest)]])
  },
  'dpkg: 60 MiB of empty lines': layout =>
    layout.image([layerOf(file('var/lib/dpkg/status', Buffer.alloc(60 * MiB, '\n')))]),
  'dpkg: 60 MiB of continued lines': layout =>
    layout.image([
      layerOf(file('var/lib/dpkg/status', `Package: a\nVersion: 1\nLicense: x\n${' y\n'.repeat(15 * MiB)}`)),
    ]),
  'dpkg: 800,000 packages': layout =>
    layout.image([
      layerOf(file('var/lib/dpkg/status', times(800_000, i => `Package: p${i}\nVersion: 1\n\n`).join(''))),
    ]),
  'dpkg: 100 files of 15 MiB, one package each': layout =>
    layout.image([
      [
        ...members(
          100,
          i =>
            file(
              `var/lib/dpkg/status.d/p${i}`,
              `Package: a-package-of-a-long-name-${i}\nVersion: 1\nX: ${'x'.repeat(15 * MiB)}\n`,
            ),
          { each: 1 },
        ),
      ],
    ]),
  'apk: 60 MiB of empty lines': layout =>
    layout.image([layerOf(file('lib/apk/db/installed', Buffer.alloc(60 * MiB, '\n')))]),
  'npm: a license of 100,000 parentheses': layout =>
    layout.image([
      layerOf(
        file('node_modules/a/package.json', JSON.stringify({ name: 'a', version: '1', license: '('.repeat(100_000) })),
      ),
    ]),
  'npm: 3.9 MiB of brackets, 200 times': layout =>
    layout.image([
      [
        ...members(
          200,
          i => {
            const nested = `${'['.repeat(1.9 * MiB)}${']'.repeat(1.9 * MiB)}`
            return file(`node_modules/p${i}/package.json`, `{"name":"p${i}","version":"1","x":${nested}}`)
          },
          { each: 2 },
        ),
      ],
    ]),
  'os-release: 64 KiB of spaces': layout =>
    layout.image([layerOf(file('etc/os-release', `ID=debian\nNAME=x${' '.repeat(65_000)}y\n`))]),
  'Go: 200 MiB that look like build info': layout => {
    const unit = Buffer.alloc(32)
    Buffer.from('\xff Go buildinf:', 'latin1').copy(unit)
    unit[15] = 2
    const body = Buffer.alloc(200 * MiB)
    for (let at = 64; at < body.length; at += 64) {
      unit.copy(body, at)
      Buffer.from([0xff, 0xff, 0xff, 0x01]).copy(body, at + 32) // a version of 4 MiB
    }
    Buffer.from([0x7f, 0x45, 0x4c, 0x46]).copy(body)
    return layout.image([layerOf(file('bin/program', body))])
  },
}

// --- running

const work = mkdtempSync(join(tmpdir(), 'oci-publish-hostile-'))
writeFileSync(join(work, 'app'), 'app')

const COMMANDS = {
  plan: base => [
    ...['plan', '--base-image', `oci:${base}:latest`, '--layers', 'app:/usr/bin/app'],
    ...['--outputs', `type=oci,dest=${join(work, 'out')}`, '--context', work, '--tags', 'latest'],
  ],
  sbom: base => ['sbom', `oci:${base}:latest`, '--platform', 'linux/amd64'],
  inspect: base => ['inspect', `oci:${base}:latest`],
  copy: base => ['copy', '--platforms', 'linux/amd64', `oci:${base}:latest`, `oci:${join(work, 'copied')}:latest`],
}

async function measure(args) {
  const report = join(work, 'time')
  const cache = mkdtempSync(join(work, 'cache-'))
  const env = { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: '1' }
  const limit = ['timeout', '-s', 'KILL', options.timeout]
  const command = ['time', '-o', report, '-f', '%M %e %x', ...limit, process.execPath, options.cli, ...args]
  const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', chunk => (said = `${said}${chunk}`.slice(-20_000)))
  await new Promise(resolve => child.on('close', resolve))
  const [kilobytes, seconds, code] = readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ')
  rmSync(cache, { recursive: true })
  const line =
    said.split('\n').find(one => /^(error|oci-publish):?/i.test(one.trim())) ?? said.trim().split('\n').at(-1)
  return { megabytes: Math.round(Number(kilobytes) / 1024), seconds: Number(seconds), code: Number(code), line }
}

const only = options.only?.split(',')
console.log('| image | command | exit | MB | s | what it said |')
console.log('| --- | --- | ---: | ---: | ---: | --- |')
try {
  for (const [title, make] of Object.entries(CASES)) {
    if (only && !only.some(word => title.includes(word))) continue
    const path = join(work, 'base')
    const layout = new Layout(path)
    layout.root(make(layout))
    for (const [command, argsOf] of Object.entries(COMMANDS)) {
      if (command !== 'plan' && command !== 'sbom' && !title.includes('index')) continue
      const { megabytes, seconds, code, line } = await measure(argsOf(path))
      console.log(`| ${title} | ${command} | ${code} | ${megabytes} | ${seconds.toFixed(1)} | ${line.slice(0, 160)} |`)
    }
    rmSync(path, { recursive: true })
    rmSync(join(work, 'copied'), { recursive: true, force: true })
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
