import { posix } from 'node:path'
import { attemptsInto, type InputProblem } from '../errors.ts'
import type { ConfigChange } from '../image/config.ts'
import { parseHealthcheck } from './healthcheck.ts'
import { commandWords } from './words.ts'
import type { Entries } from './entries.ts'

/** Reads the inputs that say how the image is run. */
export function parseConfig(entries: Entries, problems: InputProblem[]): ConfigChange {
  const attempt = attemptsInto(problems)
  const command = (input: 'entrypoint' | 'cmd'): readonly string[] | undefined => {
    const lines = entries.of(input)
    return lines.length === 0 ? undefined : attempt(input, () => commandWords(lines))
  }
  const entrypoint = command('entrypoint')
  const cmd = command('cmd')
  const workdir = entries.text('workdir')
  const user = entries.text('user')
  const stopSignal = attempt('stop-signal', () => parseSignal(entries.text('stop-signal')))
  const healthcheckText = entries.of('healthcheck').join(' ')
  const healthcheck =
    healthcheckText === '' ? undefined : attempt('healthcheck', () => parseHealthcheck(healthcheckText))
  return {
    envs: entries.pairs('envs', problems),
    labels: Object.fromEntries(entries.pairs('labels', problems)),
    ports: entries.of('ports').flatMap(port => attempt('ports', () => parsePorts(port)) ?? []),
    volumes: entries.of('volumes').flatMap(path => attempt('volumes', () => [absolute(path)]) ?? []),
    ...(entrypoint && { entrypoint }),
    ...(cmd && { cmd }),
    ...(workdir !== undefined && { workdir }),
    ...(user !== undefined && { user }),
    ...(stopSignal !== undefined && { stopSignal }),
    ...(healthcheck && { healthcheck }),
  }
}

function absolute(path: string): string {
  if (!path.startsWith('/')) throw new Error(`"${path}" is not an absolute path`)
  return posix.normalize(path)
}

function parseSignal(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Z][A-Z0-9+-]*$/.test(text) || /^\d{1,2}$/.test(text)) return text
  throw new Error(`"${text}" is not a signal such as SIGTERM or 15`)
}

/** `8080` is `8080/tcp`; a range is every port of it. */
function parsePorts(text: string): readonly string[] {
  const [, first = '', last = first, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === '' || from < 1 || to > 65_535 || to < from) {
    throw new Error(`"${text}" is not a port such as 8080, 53/udp or 8000-8010`)
  }
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol.toLowerCase()}`)
}
