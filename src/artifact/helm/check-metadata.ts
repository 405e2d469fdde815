import type { ChartMetadata, Findings } from './chart.ts'

const NUMBER = '0|[1-9][0-9]*'
const WORDS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const LOOSE = new RegExp(`^v?[0-9]+(?:\\.[0-9]+){0,2}(?:-(${WORDS}))?(?:\\+${WORDS})?$`)
const STRICT = new RegExp(`^(?:${NUMBER})\\.(?:${NUMBER})\\.(?:${NUMBER})(?:-(${WORDS}))?(?:\\+${WORDS})?$`)

/** Whether helm packages this version: `v1.2.3`, `1.2` and `01.2.3` too. */
export function isHelmVersion(version: string): boolean {
  return holds(LOOSE, version)
}

/** Semantic Versioning 2.0.0, without which a version is found by no range. */
export function isStrictVersion(version: string): boolean {
  return holds(STRICT, version)
}

function holds(form: RegExp, version: string): boolean {
  const match = form.exec(version)
  if (!match || version.length > 256) return false
  // Numbers are of 64 bits for helm, but for those of a prerelease.
  if ((/^v?([0-9.]+)/.exec(version)?.[1] ?? '').split('.').some(part => BigInt(part) >= 2n ** 64n)) return false
  return !(match[1] ?? '').split('.').some(part => /^0[0-9]+$/.test(part))
}

/** Whether a chart of this name can be pushed below a repository, which helm wants of every chart that it pushes. */
export function isRepositoryPart(name: string): boolean {
  return /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(name)
}

/** What helm 3 or helm 4 refuses to package, and what it packages and the user will be sorry for. */
export function checkMetadata(metadata: ChartMetadata, where: string, { problems, warnings }: Findings): void {
  const { name, version, apiVersion, type, dependencies = [] } = metadata
  const says = (list: string[], text: string): number => list.push(`${where}: ${text}`)

  if (name === '') says(problems, 'name is missing')
  else if (/[/\\]/.test(name) || name === '.' || name === '..') says(problems, `name "${name}" is no name of a folder`)
  else if (!isRepositoryPart(name)) {
    says(warnings, `name "${name}" cannot be that of a repository: only a-z, 0-9 and single . _ or - between them can`)
  }

  if (version === '') says(problems, 'version is missing')
  else if (!isHelmVersion(version)) says(problems, `version "${version}" is no semantic version such as 1.2.3`)
  else if (!isStrictVersion(version)) {
    says(warnings, `version "${version}" is no strict semantic version: no range such as ^1 finds it, only itself`)
  }

  if (apiVersion !== 'v1' && apiVersion !== 'v2') says(problems, `apiVersion "${apiVersion}" is neither v1 nor v2`)
  if (type !== undefined && type !== 'application' && type !== 'library') {
    says(problems, `type "${type}" is neither application nor library`)
  }
  const names = new Set<string>()
  for (const dependency of dependencies) {
    const { alias } = dependency
    if (alias !== undefined && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
      says(
        problems,
        `dependency "${dependency.name}": the alias "${alias}" has more than letters, digits, _ and - in it`,
      )
    }
    const key = alias ?? dependency.name
    if (names.has(key)) says(problems, `two dependencies are called "${key}": give one of them an alias`)
    names.add(key)
  }
}
