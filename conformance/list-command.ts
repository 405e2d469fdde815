import { CASES } from './cases/all.ts'
import { PERSONALITIES } from './personality.ts'

/** `list`: what there is. */
export function listCommand(): Promise<number> {
  const personalities = Object.entries(PERSONALITIES).map(([name, { about }]) => `  ${name.padEnd(18)}${about}`)
  const cases = CASES.map(({ name, personality, expect, slow }) => {
    const remarks = [`${personality}, ${expect}`, ...(slow ? ['slow'] : [])].join(', ')
    return `  ${name} (${remarks})`
  })
  process.stdout.write(['Personalities:', ...personalities, '', 'Cases:', ...cases, ''].join('\n'))
  return Promise.resolve(0)
}
