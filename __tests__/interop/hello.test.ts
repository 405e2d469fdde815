import { join } from 'node:path'
import { ensureBinfmt, run, runcRun, temporaryDirectory, umociUnpack } from '../support/peers.ts'

const HELLO = join(import.meta.dirname, '../../examples/hello/dist')

test.each(['amd64', 'arm64'])('the program of the example runs in a container for linux/%s', async architecture => {
  await ensureBinfmt()
  await using work = await temporaryDirectory()
  const layout = join(work.path, 'layout')
  const image = ['--image', `${layout}:hello`]
  await run('umoci', ['init', '--layout', layout])
  await run('umoci', ['new', ...image])
  await run('umoci', ['insert', ...image, join(HELLO, `linux-${architecture}`, 'hello'), '/hello'])
  await run('umoci', ['config', ...image, '--architecture', architecture, '--config.entrypoint', '/hello'])
  const bundle = join(work.path, 'bundle')
  await umociUnpack(layout, 'hello', bundle)

  expect(await runcRun(bundle)).toBe(`Hello from linux/${architecture}\n`)
})
