import fc from 'fast-check'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseRpmHeader, RPM_TAG } from '../../../src/artifact/sbom/rpm-header.ts'
import { isRpmDatabase, parseRpmDatabase } from '../../../src/artifact/sbom/rpm.ts'
import { pagedMemory, readTable } from '../../../src/artifact/sbom/sqlite-table.ts'
import { temporaryDirectory } from '../../support/peers.ts'

type Value = string | number | bigint | Uint8Array | null

/** The bytes of a database that SQLite itself wrote. */
async function database(rows: readonly Value[][], { pageBytes = 4096, table = 'Packages' } = {}): Promise<Uint8Array> {
  await using work = await temporaryDirectory()
  const path = join(work.path, 'rpmdb.sqlite')
  const db = new DatabaseSync(path)
  db.exec(
    `PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; CREATE TABLE other (x); CREATE TABLE '${table}' (hnum INTEGER PRIMARY KEY, blob)`,
  )
  const insert = db.prepare(`INSERT INTO '${table}' (hnum, blob) VALUES (?, ?)`)
  for (const [number = null, blob = null] of rows) insert.run(number, blob)
  db.exec('COMMIT')
  db.close()
  return await readFile(path)
}

/** A header as RPM writes it: entries, then what they point at. */
function header(entries: readonly (readonly [tag: number, type: number, value: string | number])[]): Uint8Array {
  const index: Buffer[] = []
  const data: Buffer[] = []
  let offset = 0
  for (const [tag, type, value] of entries) {
    const bytes = Buffer.alloc(typeof value === 'number' ? 4 : Buffer.byteLength(value) + 1)
    if (typeof value === 'number') bytes.writeUInt32BE(value)
    else bytes.write(value)
    const entry = Buffer.alloc(16)
    for (const [i, field] of [tag, type, offset, 1].entries()) entry.writeUInt32BE(field, i * 4)
    index.push(entry)
    data.push(bytes)
    offset += bytes.length
  }
  const counts = Buffer.alloc(8)
  counts.writeUInt32BE(index.length)
  counts.writeUInt32BE(offset, 4)
  return Buffer.concat([counts, ...index, ...data])
}

const BASH = header([
  [RPM_TAG.name, 6, 'bash'],
  [RPM_TAG.version, 6, '5.2.26'],
  [RPM_TAG.release, 6, '3.fc40'],
  [RPM_TAG.epoch, 4, 1],
  [RPM_TAG.license, 6, 'GPL-3.0-or-later'],
  [RPM_TAG.architecture, 6, 'x86_64'],
  [RPM_TAG.sourceRpm, 6, 'bash-5.2.26-3.fc40.src.rpm'],
])
const KEY = header([
  [RPM_TAG.name, 6, 'gpg-pubkey'],
  [RPM_TAG.version, 6, 'a15b79cc'],
])

function refusalOf(bytes: Uint8Array): unknown {
  try {
    Array.from(parseRpmDatabase(pagedMemory(bytes), 'var/lib/rpm/rpmdb.sqlite'))
    return undefined
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

describe('SQLite', () => {
  test('rows are read as SQLite wrote them: of any size, on pages of any size', async () => {
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 20_000 }),
      fc.string({ maxLength: 3_000, unit: 'binary' }).filter(text => !text.includes('\0')),
      fc.integer(),
      fc.constantFrom(0, 1, -129, 2 ** 31, -(2 ** 40), 1.5),
      fc.constant(null),
    )
    const sizes = fc.constantFrom(512, 1024, 4096, 65_536)
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 30 }), sizes, async (values, pageBytes) => {
        const bytes = await database(
          values.map((one, i) => [i + 1, one]),
          { pageBytes },
        )
        const read = [...readTable(pagedMemory(bytes), 'Packages', 'x')].map(([, one]) =>
          one instanceof Uint8Array ? [...one] : one,
        )
        expect(read).toEqual(values.map(one => (one instanceof Uint8Array ? [...one] : one)))
      }),
      { numRuns: 12 },
    )
  })

  test('a broken database is told to be one, whatever is broken', async () => {
    const bytes = await database(
      [
        [1, BASH],
        [2, new Uint8Array(9_000)],
      ],
      { pageBytes: 512 },
    )
    const places = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(places, fc.nat(bytes.length), (changes, end) => {
        const damaged = Uint8Array.from(bytes)
        for (const [at, to] of changes) damaged[at] = to
        expect([undefined, 'INVALID_DOCUMENT']).toContain(refusalOf(damaged.subarray(0, end)))
      }),
      { numRuns: 300 },
    )
  })

  test('what is no database, or lacks the table, is said', async () => {
    expect(() => [...readTable(pagedMemory(new Uint8Array(500)), 'Packages', 'x')]).toThrow(
      'x: cannot be read as an SQLite database (it does not begin as one)',
    )
    const other = await database([], { table: 'Others' })
    expect(() => [...readTable(pagedMemory(other), 'Packages', 'x')]).toThrow('there is no table Packages')
  })
})

describe('a hostile database', () => {
  const PAGE = 512
  const cut = (bytes: Uint8Array): Buffer => Buffer.from(bytes)

  /** The pages of a table with one row on several pages, and where its cell is. */
  async function withChain(): Promise<{ readonly db: Buffer; readonly leaf: number; readonly cell: number }> {
    const db = cut(await database([[1, new Uint8Array(5_000).fill(7)]], { pageBytes: PAGE }))
    for (let leaf = PAGE; leaf < db.length; leaf += PAGE) {
      const cell = db.readUInt16BE(leaf + 8)
      if (db[leaf] === 13 && db.readUInt16BE(leaf + 3) === 1 && cell > 0) return { db, leaf, cell }
    }
    throw new Error('there is no such page')
  }

  const rowsOf = (db: Uint8Array): number => [...readTable(pagedMemory(db), 'Packages', 'x')].length

  test('whose cells share one chain of pages is refused before it is read over and over', async () => {
    const { db, leaf, cell } = await withChain()
    expect(rowsOf(db)).toBe(1)
    db.writeUInt16BE(2, leaf + 3)
    db.writeUInt16BE(cell, leaf + 10)
    expect(() => rowsOf(db)).toThrow('its rows are larger than the file')
    const padded = Buffer.concat([db, Buffer.alloc(100 * PAGE)])
    expect(() => rowsOf(padded)).toThrow(/page \d+ is met twice/)
  })

  test('whose chain is a circle is refused', async () => {
    const { db, leaf, cell } = await withChain()
    const [first] = [...db.subarray(leaf + cell).entries()].flatMap(([i]) => {
      const next = leaf + cell + i + 4 <= db.length ? db.readUInt32BE(leaf + cell + i) : 0
      return next >= 3 && next * PAGE <= db.length && i > 30 ? [next] : []
    })
    db.writeUInt32BE(first ?? 0, ((first ?? 0) - 1) * PAGE)
    expect(() => rowsOf(db)).toThrow(/page \d+ is met twice/)
  })

  test('whose cells are all the same bytes of a page has no more rows than bytes', async () => {
    const db = cut(await database([[1, new Uint8Array(100)]], { pageBytes: 65_536 }))
    const leaf = db.length - 65_536
    const cell = db.readUInt16BE(leaf + 8)
    db.writeUInt16BE(20_000, leaf + 3)
    for (let i = 0; i < 20_000; i++) db.writeUInt16BE(cell, leaf + 8 + i * 2)
    expect(() => rowsOf(db)).toThrow('its rows are larger than the file')
  })

  test('whose pages lead to each other is refused', async () => {
    const db = cut(
      await database(
        Array.from({ length: 60 }, (_, i) => [i + 1, new Uint8Array(60)]),
        { pageBytes: PAGE },
      ),
    )
    let root = PAGE
    while (db[root] !== 5) root += PAGE
    db.writeUInt32BE(root / PAGE + 1, root + 8)
    expect(() => rowsOf(db)).toThrow(/page \d+ is met twice/)
  })

  test('cannot make a million texts of the same bytes', () => {
    const name = 'n'.repeat(1000)
    const one = header([
      [RPM_TAG.name, 6, name],
      ...Array.from({ length: 100 }, () => [RPM_TAG.name, 6, 'x'] as const),
      ...Array.from({ length: 100 }, (_, i) => [2000 + i, 6, 'x'] as const),
    ])
    expect([...parseRpmHeader(one, 'x')]).toEqual([[RPM_TAG.name, name]])
  })
})

describe('RPM', () => {
  test('packages with epoch, licence and source, without the keys that are kept beside them', async () => {
    const bytes = await database([
      [1, KEY],
      [2, BASH],
    ])
    expect([...parseRpmDatabase(pagedMemory(bytes), 'var/lib/rpm/rpmdb.sqlite')]).toEqual([
      {
        type: 'rpm',
        name: 'bash',
        version: '5.2.26-3.fc40',
        epoch: 1,
        architecture: 'x86_64',
        upstream: 'bash-5.2.26-3.fc40.src.rpm',
        licenses: ['GPL-3.0-or-later'],
        location: 'var/lib/rpm/rpmdb.sqlite',
      },
    ])
  })

  test.each([
    ['usr/lib/sysimage/rpm/Packages.db', 'ndb'],
    ['var/lib/rpm/Packages', 'Berkeley DB'],
  ])('%s is said not to be read, and why', (path, form) => {
    expect(isRpmDatabase(path)).toBe(true)
    expect(() => [...parseRpmDatabase(pagedMemory(new Uint8Array(10)), path)]).toThrow(`not in ${form}`)
  })

  test('a header that is cut is refused', () => {
    for (let end = 0; end < BASH.length; end += 7) {
      expect(() => parseRpmHeader(BASH.subarray(0, end), 'x')).toThrow('x: not a package header')
    }
  })
})
