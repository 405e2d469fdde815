const CLASSES = ['weight', 'weight.config', 'doc', 'code', 'dataset'] as const
type ModelClass = (typeof CLASSES)[number]

/** The file itself: it can be mapped into memory, and read from the middle. */
export function rawType(name: ModelClass): string {
  return `application/vnd.cncf.model.${name}.v1.raw`
}

/** What may stand after a path: `tokens.bin:config`. */
export const CLASS_WORDS: ReadonlyMap<string, string> = new Map([
  ...CLASSES.map(name => [name, rawType(name)] as const),
  ['config', rawType('weight.config')],
])

/** A file of no known name and of more bytes than this is a part of the weights. */
const WEIGHT_BYTES: number = 100 << 20

/** The first match wins; names are in lower case. */
const BY_NAME: readonly (readonly [name: RegExp, is: ModelClass])[] = [
  [/\.(?:safetensors|gguf|ggml|bin|pt|pth|onnx|h5|tflite|ckpt|npz|mlmodel|engine)$/, 'weight'],
  [/\.safetensors\.index\.json$|^tokenizer|^vocab\.|^merges\.txt$|\.jinja$|\.tiktoken$/, 'weight.config'],
  [/^(?:readme|licen[cs]e|notice|copying|model[_-]?card|changelog|use[_-]policy)|\.(?:md|pdf|png|jpe?g)$/, 'doc'],
  [/\.(?:py|ipynb|sh|js|ts|go|rs|c|cc|cpp|h|cu)$|^requirements.*\.txt$|^dockerfile/, 'code'],
  [/\.(?:parquet|arrow|csv|tsv|jsonl)$/, 'dataset'],
  [/\.(?:json|ya?ml|toml|model)$/, 'weight.config'],
]

/** A sensible guess; whoever knows better says so after the path. */
export function classOf(path: string, size: number): ModelClass {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? (size > WEIGHT_BYTES ? 'weight' : 'doc')
}

const FORMATS: readonly (readonly [name: RegExp, format: string])[] = [
  [/\.safetensors$/i, 'safetensors'],
  [/\.gguf$/i, 'gguf'],
  [/\.onnx$/i, 'onnx'],
  [/\.(?:pt|pth)$/i, 'pt'],
]

/** The format of the weights, where their names agree on one. */
export function formatOf(paths: readonly string[]): string | undefined {
  const formats = new Set(paths.map(path => FORMATS.find(([pattern]) => pattern.test(path))?.[1]))
  const [format] = formats
  return formats.size === 1 ? format : undefined
}
