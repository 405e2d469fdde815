import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startFaultServer } from '../support/fault-server.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { HELLO, distFile, nodes, runAction, runNode, sandbox } from './dist-run.ts'

const PASSWORD = { scheme: 'bearer', username: 'me', password: 's3cret-p' } as const
const IMAGE = {
  platforms: 'linux/amd64,linux/arm64',
  layers: 'dist/{os}-{arch}/hello:/usr/local/bin/hello\nassets/:/usr/share/hello/',
  entrypoint: '/usr/local/bin/hello',
}
const FLAGS = Object.entries(IMAGE).flatMap(([name, value]) => value.split('\n').flatMap(one => [`--${name}`, one]))

describe.each(nodes())('on %s', node => {
  describe('dist/main.js, run as the runner does', () => {
    test('publishes and gives every output', async () => {
      await using box = await sandbox()
      const { exitCode, stderr, outputs, summary } = await runAction(node, { ...IMAGE, push: 'false' }, box)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(outputs['digest']).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(outputs).toMatchObject({ 'tag-names': 'feature-x' })
      expect(outputs['refs']).toMatch(/^oci:.*runner-temp.*:feature-x@sha256:[0-9a-f]{64}$/)
      expect(Object.keys(JSON.parse(outputs['platform-digests'] ?? '') as object)).toEqual(IMAGE.platforms.split(','))
      expect(summary).toContain('### Published')
    })

    test('pushes with the given password; a second run sends nothing', async () => {
      await using box = await sandbox()
      await using registry = await startSpecRegistry({ auth: PASSWORD })
      const inputs = { ...IMAGE, images: `${registry.host}/team/app`, username: 'me', password: 's3cret-p' }
      const first = await runAction(node, inputs, box)
      expect(first).toMatchObject({ exitCode: 0, stderr: '' })
      expect(registry.tags('team/app')).toEqual(new Map([['feature-x', first.outputs['digest']]]))
      expect(first.outputs['tags']).toBe(`${registry.host}/team/app:feature-x`)
      const seen = registry.requests.length

      const second = await runAction(node, inputs, box)

      expect(second.outputs['digest']).toBe(first.outputs['digest'])
      const again = registry.requests.slice(seen).map(({ method }) => method)
      expect(again.filter(method => method === 'POST' || method === 'PUT')).toEqual([])
      expect([first.stdout, second.stdout].join('').replaceAll(/::add-mask::.*/g, '')).not.toContain('s3cret')
    })

    test('several registries get the credentials of their own from one list', async () => {
      await using box = await sandbox()
      await using one = await startSpecRegistry({ auth: PASSWORD })
      await using other = await startSpecRegistry({ auth: { scheme: 'basic', username: 'you', password: 's3cret-q' } })
      const list = [
        ...[`- registry: ${one.host}`, '  username: me', '  password: s3cret-p'],
        ...['# the mirror', `- registry: ${other.host}`, '  username: you', '  password: s3cret-q'],
      ].join('\n')
      const images = `${one.host}/team/app\n${other.host}/team/app`

      const action = await runAction(node, { ...IMAGE, images, 'registry-auth': list }, box)

      expect(action).toMatchObject({ exitCode: 0, stderr: '' })
      expect(action.stdout.replaceAll(/::add-mask::.*/g, '')).not.toContain('s3cret')
      const pushed = new Map([['feature-x', action.outputs['digest']]])
      expect([one.tags('team/app'), other.tags('team/app')]).toEqual([pushed, pushed])

      const args = [distFile('cli.js'), 'publish', ...FLAGS, '--images', images, '--tags', 'v1']
      const cli = await runNode(node, args, { env: { ...box.env, OCI_PUBLISH_REGISTRY_AUTH: list }, cwd: HELLO })
      expect(cli.exitCode).toBe(0)
      expect(other.tags('team/app').has('v1')).toBe(true)
      expect(cli.stdout + cli.stderr).not.toContain('s3cret')
    })

    test('a wrong password fails with what to do, without outputs and without a stack', async () => {
      await using box = await sandbox()
      await using registry = await startSpecRegistry({ auth: PASSWORD })
      const inputs = { ...IMAGE, images: `${registry.host}/team/app`, username: 'me', password: 'wrong' }
      const { exitCode, stdout, outputs } = await runAction(node, inputs, box)
      expect(exitCode).toBe(1)
      expect(stdout).toMatch(new RegExp(`^::error::.*${RegExp.escape(registry.host)}`, 'm'))
      expect(stdout).not.toMatch(/^ +at /m)
      expect(outputs).toEqual({})
      expect(registry.tags('team/app').size).toBe(0)
    })

    test('masks secrets first of all, and never shows them', async () => {
      await using box = await sandbox()
      const secrets = { username: 'me', password: 's3cret-p', 'github-token': 's3cret-t' }
      const { stdout, stderr, outputs, summary } = await runAction(node, { ...IMAGE, ...secrets, push: 'false' }, box)
      const [first, second, ...rest] = stdout.split(/\r?\n/)
      expect([first, second]).toEqual(['::add-mask::s3cret-p', '::add-mask::s3cret-t'])
      expect(
        [...rest, stderr, summary, JSON.stringify(outputs)].join('\n').replaceAll(/::add-mask::.*/g, ''),
      ).not.toContain('s3cret')
    })

    test('a wrong request fails with an annotation for each problem, before any work', async () => {
      await using box = await sandbox()
      const { exitCode, stdout, outputs, summary } = await runAction(
        node,
        { images: 'ghcr.io/Team/!', layers: 'nowhere/:/x', ports: 'x' },
        box,
      )
      expect(exitCode).toBe(1)
      expect(stdout.match(/^::error title=Input (?:images|layers|ports)::/gm)).toHaveLength(3)
      expect(stdout.match(/^::error::.*$/gm)).toEqual(['::error::the request is wrong: 3 problems'])
      expect(stdout).not.toMatch(/^ +at /m)
      expect(outputs).toEqual({})
      expect(summary).toContain('### Not published')
    })
  })

  describe('dist/cli.js', () => {
    test('publishes a layout; standard output is its reference and nothing else', async () => {
      await using box = await sandbox()
      const layout = join(box.dir, 'out')
      const args = ['publish', '--no-push', '--outputs', `type=oci,dest=${layout}`, '--tags', 'v1', ...FLAGS]
      const { exitCode, stdout, stderr } = await runNode(node, [distFile('cli.js'), ...args], {
        env: box.env,
        cwd: HELLO,
      })
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
      const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
        manifests: readonly { digest: string }[]
      }
      expect(stdout).toBe(`oci:${layout}:v1@${manifests[0]?.digest ?? ''}\n`)
      expect(stderr).toContain('published sha256:')
    })

    test('publishes to a registry with the password from standard input, and through faults', async () => {
      await using box = await sandbox()
      await using registry = await startSpecRegistry({ auth: PASSWORD })
      registry.fail({ method: 'PUT', path: /uploads/ }, { status: 503 })
      const image = `${registry.host}/team/app`
      const args = [
        'publish',
        '--images',
        image,
        '--tags',
        'v1',
        '--username',
        'me',
        '--password-stdin',
        '--json',
        ...FLAGS,
      ]
      const { exitCode, stdout, stderr } = await runNode(node, [distFile('cli.js'), ...args], {
        ...{ env: box.env, cwd: HELLO, stdin: 's3cret-p\n' },
      })
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
      const digest = registry.tags('team/app').get('v1') ?? ''
      expect(JSON.parse(stdout)).toMatchObject({ digest, refs: [`${image}:v1@${digest}`], dryRun: false })
      expect(stderr).toMatch(/503.*again (?:in|at once)/)
    })

    test('plan sends nothing and says what it would', async () => {
      await using box = await sandbox()
      await using registry = await startSpecRegistry()
      const args = ['plan', '--images', `${registry.host}/team/app:v1`, '--json', ...FLAGS]
      const { exitCode, stdout } = await runNode(node, [distFile('cli.js'), ...args], { env: box.env, cwd: HELLO })
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, targets: [{ sent: { count: 8 } }] })
      expect(registry.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([])
    })

    test('the action and the command line make the same image', async () => {
      await using box = await sandbox()
      const action = await runAction(node, { ...IMAGE, push: 'false' }, box)
      const args = ['publish', '--no-push', '--outputs', `type=oci,dest=${join(box.dir, 'out')}`, '--json', ...FLAGS]
      const { stdout } = await runNode(node, [distFile('cli.js'), ...args], { env: box.env, cwd: HELLO })
      expect(JSON.parse(stdout)).toMatchObject({ digest: action.outputs['digest'] })
    })

    test.each([
      ['an unknown flag', ['publish', '--imges', 'x'], 'Did you mean --images?'],
      ['a wrong request', ['publish', '--images', 'ghcr.io/a/b', '--layers', 'nowhere/:/x'], '--layers: '],
    ])('%s is exit code 2, and told', async (_name, args, message) => {
      await using box = await sandbox()
      const { exitCode, stdout, stderr } = await runNode(node, [distFile('cli.js'), ...args], { env: box.env })
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
      expect(stderr).toContain(message)
    })

    test('Ctrl-C ends a run that waits for a registry, with 130 and without a stack', async () => {
      await using box = await sandbox()
      await using registry = await startFaultServer(Array.from({ length: 9 }, () => ({ hang: true })))
      const args = ['publish', '--images', `${registry.host}/team/app:v1`, ...FLAGS]
      const { exitCode, stdout, stderr } = await runNode(node, [distFile('cli.js'), ...args], {
        ...{ env: box.env, cwd: HELLO, interrupt: registry.arrived(1) },
      })
      expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' })
      expect(stderr).toMatch(/^stopped by SIGINT: .*\n$/m)
      expect(stderr).not.toMatch(/error:|^ +at /m)
    })

    test('tells its version', async () => {
      await using box = await sandbox()
      const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
        version: string
      }
      const { stdout } = await runNode(node, [distFile('cli.js'), '--version'], { env: box.env })
      expect(stdout).toBe(`${version}\n`)
    })
  })
})
