import type { Case } from '../case.ts'
import { MOUNTS } from './mounts.ts'
import { PLAIN, SHAPED } from './plain.ts'
import { READ_FAULTS } from './read-faults.ts'
import { REFERRERS } from './referrers.ts'
import { ROUGH } from './rough.ts'
import { WRITE_FAULTS } from './write-faults.ts'

export const CASES: readonly Case[] = [
  ...PLAIN,
  ...SHAPED,
  ...WRITE_FAULTS,
  ...MOUNTS,
  ...READ_FAULTS,
  ...REFERRERS,
  ...ROUGH,
]
