// Distribution's `registry` with nothing in it, on a free loopback port.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** @returns its host, the folder that it stores to, and how to stop it, which removes the folder */
export async function startEmptyRegistry({ work, env }) {
  const port = await freePort()
  const data = mkdtempSync(join(work, 'registry-'))
  const config = join(data, 'config.yml')
  const log = '{ level: error, accesslog: { disabled: true } }'
  const storage = `{ filesystem: { rootdirectory: ${data} } }`
  writeFileSync(config, `version: 0.1\nlog: ${log}\nstorage: ${storage}\nhttp: { addr: "127.0.0.1:${port}" }\n`)
  const server = spawn('registry', ['serve', config], { env, stdio: 'ignore' })
  const host = `127.0.0.1:${port}`
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    if (answer?.ok) break
    if (tries > 100) throw new Error('the registry did not start')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {
    host,
    data,
    stop: () => {
      server.kill()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
