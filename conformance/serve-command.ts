import { once } from 'node:events'
import { UsageError, numberOf, personalityOf, readArguments } from './arguments.ts'
import { parseFault } from './fault-words.ts'
import { PERSONALITIES } from './personality.ts'
import { randomFrom } from './random.ts'
import type { SeenRequest } from './server/seen.ts'
import { startSpecRegistry } from './server/registry.ts'

const text = { type: 'string' } as const

/** `serve`: a registry to try a client on by hand. */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const values = readArguments(args, {
    port: text,
    personality: text,
    fault: { type: 'string', multiple: true },
    seed: text,
    open: { type: 'boolean' },
  })
  const name = personalityOf(values.personality ?? 'spec')
  const { options, auth, prefix } = PERSONALITIES[name]
  const faults = (values.fault ?? []).map(parseFault)
  const port = numberOf('port', values.port, 5000)
  const registry = await startSpecRegistry({
    ...options,
    ...(auth && !values.open && { auth: { ...auth, username: 'robot', password: 'secret' } }),
    port,
    random: randomFrom(numberOf('seed', values.seed, 1)),
    onRequest: tell,
  }).catch((error: unknown) => {
    throw new UsageError(`--port ${port}: ${error instanceof Error ? error.message : String(error)}`)
  })
  for (const { match, fault } of faults) registry.fail(match, fault)
  process.stdout.write(`${name} at ${registry.host}, repositories ${prefix}/...; stop it with Ctrl-C\n`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await registry[Symbol.asyncDispose]()
  return 0
}

function tell({ method, target, status, bodyBytes, fault, codes }: SeenRequest): void {
  const words = [method, target, status === 0 ? 'no answer' : `${status}`, ...codes]
  if (bodyBytes > 0) words.push(`${bodyBytes} bytes`)
  if (fault) words.push(JSON.stringify(fault))
  process.stdout.write(`${words.join(' ')}\n`)
}
