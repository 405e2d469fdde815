import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { readRegularFile } from '../../files/regular-file.ts'
import { isInside, resolveSource } from '../../files/source-path.ts'
import type { ChartFile, Findings } from './chart.ts'
import { FileBudget, withoutBom, type FileLimits } from './file-limits.ts'
import { isHelmIgnored, parseHelmIgnore, type HelmIgnore } from './helmignore.ts'

export interface ReadFilesOptions extends FileLimits {
  readonly signal?: AbortSignal | undefined
}

/**
 * The files of a chart's folder that helm would package, with what they hold. Symlinks stand for what they point at, as
 * long as that is in the chart.
 *
 * @param findings gets what is wrong with them
 */
export async function readChartDirectory(
  path: string,
  findings: Findings,
  options: ReadFilesOptions,
): Promise<readonly ChartFile[]> {
  const root = await realpath(path)
  const rules = parseHelmIgnore(await ignoreFile(root), findings.problems)
  const walk = new Walk(root, rules, findings, options)
  await walk.enter(root, '', [root])
  return walk.files
}

/** Helm reads a line at a time, and no line of more than 64 KiB. */
const MAX_IGNORE_BYTES = 1 << 20

async function ignoreFile(root: string): Promise<string | undefined> {
  try {
    const file = resolveSource('.helmignore', { context: root })
    return file === undefined ? undefined : (await readRegularFile(file, MAX_IGNORE_BYTES)).toString('utf8')
  } catch {
    return undefined
  }
}

class Walk {
  readonly files: ChartFile[] = []
  readonly #root: string
  readonly #rules: HelmIgnore
  readonly #findings: Findings
  readonly #budget: FileBudget
  readonly #signal: AbortSignal | undefined

  constructor(root: string, rules: HelmIgnore, findings: Findings, { signal, ...limits }: ReadFilesOptions) {
    this.#root = root
    this.#rules = rules
    this.#findings = findings
    this.#budget = new FileBudget('the chart', limits, findings)
    this.#signal = signal
  }

  /** @param above the real paths of the folders around, to notice a link that leads back */
  async enter(directory: string, prefix: string, above: readonly string[]): Promise<void> {
    for (const name of (await readdir(directory)).sort()) {
      this.#signal?.throwIfAborted()
      const path = prefix + name
      if (isLeftOutOfCharts(path)) continue
      try {
        await this.#add(join(directory, name), path, above)
      } catch (error) {
        this.#signal?.throwIfAborted()
        this.#findings.problems.push(`${path} cannot be read (${messageOf(error)})`)
      }
    }
  }

  async #add(onDisk: string, path: string, above: readonly string[]): Promise<void> {
    const isLink = (await lstat(onDisk)).isSymbolicLink()
    const stats = await stat(onDisk).catch((error: unknown) => {
      if (isLink) return undefined
      throw error
    })
    if (isHelmIgnored(this.#rules, path, stats?.isDirectory() === true)) return
    if (!stats) {
      this.#refuse(path, 'is a symlink that leads nowhere')
      return
    }
    const real = isLink ? await realpath(onDisk) : onDisk
    if (isLink && !isInside(real, this.#root)) {
      this.#refuse(path, `is a symlink to ${real}, outside of the chart: put a copy there`)
      return
    }
    if (stats.isDirectory()) {
      if (above.includes(real)) {
        this.#refuse(path, 'is a symlink to a folder that it is in itself')
        return
      }
      return this.enter(real, `${path}/`, [...above, real])
    }
    if (!stats.isFile()) {
      this.#refuse(path, 'is a socket, a pipe or a device')
      return
    }
    if (path.includes('\\')) {
      this.#refuse(path, 'has a "\\" in its name, where helm sees a folder')
      return
    }
    if (path.includes('\ufffd')) {
      this.#refuse(path, 'has a name that is not UTF-8')
      return
    }
    if (!this.#budget.take(path, stats.size)) return
    const bytes = await readRegularFile(real, stats.size, stats)
    this.files.push({ path, bytes: withoutBom(bytes) })
  }

  #refuse(path: string, why: string): void {
    this.#findings.problems.push(`${path} ${why}`)
  }
}

/** What helm leaves out of charts/ without a word; signatures of subcharts it keeps. */
export function isLeftOutOfCharts(path: string): boolean {
  const [folder, name] = path.split('/')
  return folder === 'charts' && name !== undefined && /^[._]/.test(name) && !path.endsWith('.prov')
}
