import type { Abortable } from '../../async/abortable.ts'
import { gzip } from '../../archive/gzip.ts'
import { writeTar, type TarItem } from '../../archive/tar/write.ts'
import { bytesBlob, type Blob } from '../../content/blob.ts'
import { digestOf } from '../../oci/digest.ts'
import { TITLE } from '../artifact.ts'
import { chartFileName, type Chart, type ChartFile } from './chart.ts'

export const CHART_CONTENT = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'

/**
 * The package of a chart, as the layer that helm expects. One that came packaged stays as it is. Otherwise it follows from
 * the names and the bytes of the files alone: no times, modes or owners, in an order of its own.
 */
export async function packageChart(chart: Chart, { signal }: Abortable = {}): Promise<Blob> {
  const bytes = chart.archive ?? (await pack(chart, signal))
  const descriptor = {
    ...{ mediaType: CHART_CONTENT, digest: digestOf(bytes), size: bytes.byteLength },
    annotations: { [TITLE]: chartFileName(chart.metadata) },
  }
  return bytesBlob({ descriptor, bytes })
}

async function pack({ metadata, files }: Chart, signal: AbortSignal | undefined): Promise<Uint8Array> {
  // Whoever reads from the front finds first what the rest is about.
  const chartYaml = files.filter(({ path }) => path === 'Chart.yaml')
  const others = files.filter(({ path }) => path !== 'Chart.yaml')
  const items = [...chartYaml, ...others].map(file => itemOf(file, metadata.name))
  const chunks: Uint8Array[] = []
  for await (const chunk of gzip(writeTar(items, { signal }), { level: 9, signal })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function itemOf({ path, bytes }: ChartFile, folder: string): TarItem {
  const size = bytes.byteLength
  return {
    entry: { type: 'file', path: `${folder}/${path}`, mode: 0o644, uid: 0, gid: 0, mtime: 0, size },
    body: {
      async *open() {
        yield await Promise.resolve(bytes)
      },
    },
  }
}
