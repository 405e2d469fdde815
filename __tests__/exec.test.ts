import { exec } from '../src/exec.ts'

const node = (script: string, options = {}): ReturnType<typeof exec> => exec(process.execPath, ['-e', script], options)

describe('exec()', () => {
  test('no argument is read as syntax', async () => {
    const { stdout } = await exec(process.execPath, ['-e', 'console.log(process.argv[1])', '$(id); "x" | y'])
    expect(stdout).toBe('$(id); "x" | y\n')
  })

  test('what a program is told and what it says come through', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error("note"); process.exitCode = 3'
    expect(await node(script, { input: 'hello' })).toEqual({ exitCode: 3, stdout: 'hello', stderr: 'note\n' })
  })

  test('a program that does not read its input is judged by its exit code', async () => {
    expect(await node('process.exit(0)', { input: 'x'.repeat(1 << 20) })).toMatchObject({ exitCode: 0 })
  })

  test('an abort ends the program and is not reported as its failure', async () => {
    const controller = new AbortController()
    const reason = new Error('stopped by the user')
    const running = node('console.log("up"); setInterval(() => {}, 1000)', { signal: controller.signal })
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
  })

  test('endless output does not fill the memory', async () => {
    const script = 'const w = () => process.stdout.write("x".repeat(65536), w); w()'
    await expect(node(script, { maxOutputBytes: 100_000 })).rejects.toThrow('wrote more than 100000 bytes')
  })

  test('a program that is missing is named as missing', async () => {
    await expect(exec('oci-publish-no-such-program', [])).rejects.toThrow(
      'could not run oci-publish-no-such-program: it is not in PATH',
    )
  })
})
