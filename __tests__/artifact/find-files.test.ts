import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { findFiles, lookForFiles } from '../../src/artifact/find-files.ts'
import { fileLayers } from '../../src/artifact/file-layers.ts'
import { writeZip } from '../../src/artifact/presets/zip.ts'
import { collect } from '../layer/layer-blob.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { put } from './files.ts'

test('everything that is wrong with the files is told at once, before any of them is read', async () => {
  await using work = await temporaryDirectory()
  const context = join(work.path, 'context')
  await put(context, {
    'a.txt': 'a',
    'other/a.txt': 'b',
    'out/absolute': { link: '/etc/passwd' },
    'out/up': { link: '../../secret' },
    'out/sub/here': { link: '.' },
    'out/round': { link: 'sub/here/../../../secret' },
    'loop/self': { link: 'self' },
  })
  await put(work.path, { secret: 's' })
  await run('mkfifo', [join(context, 'pipe'), join(context, 'out', 'pipe')])
  const { files, problems } = await lookForFiles(
    ['a.txt', 'missing', 'a.txt:nothing', './a.txt', '../context/other/../a.txt', 'pipe', 'out', 'a.txt/b', 'loop'],
    { context },
  )
  expect(files.map(({ title }) => title)).toEqual(['a.txt', 'out', 'loop'])
  const out = join(context, 'out')
  expect(problems).toEqual([
    'missing is not there',
    '"nothing" in "a.txt:nothing" is not a media type such as application/json',
    '"a.txt" and "./a.txt" have one title, a.txt',
    '"./a.txt" and "../context/other/../a.txt" have one title, a.txt',
    'pipe is neither a file nor a directory',
    `${join(out, 'absolute')} points at /etc/passwd, which is not in ${out}; put the file itself there`,
    `${join(out, 'pipe')} is neither a file, a directory nor a link`,
    `${join(out, 'round')} points at sub/here/../../../secret, which is not in ${out}; put the file itself there`,
    `${join(out, 'up')} points at ../../secret, which is not in ${out}; put the file itself there`,
    expect.stringMatching(/^a\.txt\/b cannot be read: ENOTDIR/) as string,
  ])
})

test('a link that leads out by way of another link is found, though its words stay inside', async () => {
  await using work = await temporaryDirectory()
  const dir = join(work.path, 'dir')
  await mkdir(join(dir, 'deep', 'er'), { recursive: true })
  await put(work.path, { secret: 's', 'dir/secret': 's' })
  await put(dir, { 'deep/er/top': { link: '../..' }, out: { link: 'deep/er/top/../secret' } })
  const { problems } = await lookForFiles(['dir'], { context: work.path })
  expect(problems).toEqual([
    `${join(dir, 'out')} points at deep/er/top/../secret, which is not in ${dir}; put the file itself there`,
  ])
})

test('a directory is listed in the order of names, parents first, and links inside stay links', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, {
    'd/z': 'z',
    'd/b/x': 'x',
    'd/a': { program: '#!/bin/sh' },
    'd/link': { link: 'b/x' },
    'd/dangling': { link: 'b/later' },
  })
  const [found] = await findFiles(['d'], { context: work.path })
  expect(found?.entries?.map(({ type, path }) => `${type} ${path}`)).toEqual([
    'file a',
    'directory b',
    'file b/x',
    'symlink dangling',
    'symlink link',
    'file z',
  ])
  expect(found?.entries?.[0]).toMatchObject({ isExecutable: true, size: 9 })
})

test('the context itself is called by its own name', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'site/index.html': 'x' })
  expect(await findFiles(['.'], { context: join(work.path, 'site') })).toMatchObject([{ title: 'site' }])
})

test('a named link to a file is the file', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { real: 'four', named: { link: 'real' } })
  expect(await findFiles(['named'], { context: work.path })).toMatchObject([
    { title: 'named', size: 4, entries: undefined },
  ])
})

test('whoever wants files only gets one error with all problems', async () => {
  await using work = await temporaryDirectory()
  await expect(findFiles(['x', 'y'], { context: work.path })).rejects.toMatchObject({
    problems: [
      { input: 'files', problem: 'x is not there' },
      { input: 'files', problem: 'y is not there' },
    ],
  })
})

test('a file that was replaced by a symlink, or whose folder was, is not published', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { secret: 's', 'out/f': 's', file: 'x', 'd/sub/f': 'y' })
  const [file, folder] = await findFiles(['file', 'd'], { context: work.path })
  if (!file || !folder?.entries) throw new Error('not found')
  await rm(file.absolutePath)
  await symlink('secret', file.absolutePath)
  await rename(join(work.path, 'd/sub'), join(work.path, 'd/old'))
  await symlink('../out', join(work.path, 'd/sub'))
  const changed = { code: 'FILE_CHANGED' }
  await expect(fileLayers([file], { tempDir: work.path })).rejects.toMatchObject(changed)
  await expect(fileLayers([folder], { tempDir: work.path })).rejects.toMatchObject(changed)
  await expect(collect(writeZip(folder.entries))).rejects.toMatchObject(changed)
})

test('a blob of a file that was replaced after it was hashed is not sent', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { file: 'x', other: 'z' })
  const files = await findFiles(['file'], { context: work.path })
  const [blob] = await fileLayers(files, { tempDir: work.path })
  await rename(join(work.path, 'other'), join(work.path, 'file'))
  if (!blob) throw new Error('no blob')
  await expect(collect(blob.open())).rejects.toMatchObject({ code: 'FILE_CHANGED' })
})
