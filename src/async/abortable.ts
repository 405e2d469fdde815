/** The last argument of everything that takes time. Its reason is thrown as it is. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}
