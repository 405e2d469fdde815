import type { Abortable } from '../../async/abortable.ts'
import type { InputProblem } from '../../errors.ts'
import type { Annotations } from '../../oci/descriptor.ts'
import type { ArtifactParts } from '../artifact.ts'
import type { FoundFile } from '../find-files.ts'

/** What an artifact of a known kind is made from. */
export interface PresetRequest extends Abortable {
  readonly files: readonly FoundFile[]
  readonly annotations: Annotations
  /** What the user says of the content, by key. */
  readonly metadata: ReadonlyMap<string, string>
  /** RFC 3339; undefined where nobody says when, because then only the clock could. */
  readonly created: string | undefined
  /** Where archives are written. */
  readonly tempDir: string
}

interface PresetPlan {
  /** What the layers will be made from. */
  readonly files: readonly FoundFile[]
  readonly problems: readonly InputProblem[]
}

/** A kind of artifact whose readers want it in a form of their own. */
export interface Preset {
  /** Words that may follow a path instead of a media type. */
  readonly words?: ReadonlyMap<string, string>
  /** Whether it has a use for metadata. */
  readonly takesMetadata?: boolean
  /** Finds what is wrong before any file is read as a whole. */
  readonly plan: (request: PresetRequest) => Promise<PresetPlan>
  /** Makes config and layers; annotations are added by the caller. */
  readonly parts: (request: PresetRequest) => Promise<Omit<ArtifactParts, 'annotations'>>
}

/** For fields that a format wants to have where nobody says when: the same on any day. */
export const NO_TIME = '1970-01-01T00:00:00Z'
