import type { Discovered } from '../artifact/discover.ts'
import type { Hanging } from '../content/hanging.ts'
import { isIndexType } from '../oci/media-type.ts'
import { formatPlatform } from '../oci/platform.ts'
import { hangingText } from './hanging-text.ts'

interface Branch {
  readonly text: string
  readonly branches: readonly Branch[]
}

/** What was discovered, as a tree: below a manifest what hangs on it, then what is in it. */
export function discoveredLines(reference: string, found: Discovered): readonly string[] {
  const { digest } = found.descriptor
  const name = reference.endsWith(digest) ? reference : `${reference}@${digest}`
  return [name, ...treeLines(branchesOf(found))]
}

function branchesOf({ referrers, manifests }: Discovered): readonly Branch[] {
  return [...referrers.map(hangingBranch), ...manifests.map(memberBranch)]
}

function memberBranch(found: Discovered): Branch {
  const { descriptor, platform } = found
  const { digest, mediaType, artifactType } = descriptor
  const other = artifactType ?? (isIndexType(mediaType) ? 'index' : mediaType)
  return { text: `${platform ? formatPlatform(platform) : other}  ${digest}`, branches: branchesOf(found) }
}

function hangingBranch(hanging: Hanging): Branch {
  const { descriptor, referrers } = hanging
  return { text: `${hangingText(hanging)}  ${descriptor.digest}`, branches: referrers.map(hangingBranch) }
}

function treeLines(branches: readonly Branch[], indent = ''): readonly string[] {
  return branches.flatMap(({ text, branches: below }, i) => {
    const last = i === branches.length - 1
    return [`${indent}${last ? '└── ' : '├── '}${text}`, ...treeLines(below, `${indent}${last ? '    ' : '│   '}`)]
  })
}
