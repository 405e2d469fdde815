import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { findPeer } from '../support/peers.ts'

const PATIENCE_MS = 60_000
const STEP_MS = 50

/** AWS as moto plays it: private ECR and STS, without checking who asks. Nothing of ECR Public. */
export interface Moto extends AsyncDisposable {
  readonly url: string
}

export async function startMoto(): Promise<Moto> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  // With the death signal, a run of tests that is killed leaves no server behind.
  const args = ['--pdeathsig', 'TERM', '--', findPeer('moto_server'), '-H', '127.0.0.1', '-p', String(port)]
  const server = spawn(findPeer('setpriv'), args, { stdio: 'ignore' })
  server.unref()
  const end = Date.now() + PATIENCE_MS
  while (!(await answers(url))) {
    if (server.exitCode !== null || Date.now() > end) throw new Error(`moto_server does not answer at ${url}`)
    await sleep(STEP_MS)
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.ref()
      server.kill()
      await once(server, 'exit')
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/`)).ok
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
