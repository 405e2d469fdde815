import { bytesBlob } from '../../content/blob.ts'
import { toDocument } from '../../oci/manifest.ts'
import { archiveBlob } from '../archive-blob.ts'
import { contentsOf } from './contents.ts'
import { NO_TIME, type Preset } from './preset.ts'

const FLUX_CONFIG = 'application/vnd.cncf.flux.config.v1+json'
const FLUX_CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip'

/**
 * Manifests for Flux's source controller: one archive, without links, which its own tools leave out too. Where it comes
 * from is said by the annotations `org.opencontainers.image.source` and `.revision`.
 */
export const flux: Preset = {
  plan: ({ files }) => Promise.resolve({ files, problems: [] }),
  async parts({ files, created = NO_TIME, tempDir, signal }) {
    const entries = contentsOf(files).filter(({ type }) => type !== 'symlink')
    const { blob, contentDigest } = await archiveBlob(entries, { mediaType: FLUX_CONTENT, tempDir, signal })
    // The form of an image's config: readers look no further than that.
    const config = toDocument(FLUX_CONFIG, {
      created,
      architecture: '',
      os: '',
      config: {},
      rootfs: { type: 'layers', diff_ids: [contentDigest] },
      history: [{ created }],
    })
    return { config: bytesBlob(config), layers: [blob] }
  },
}
