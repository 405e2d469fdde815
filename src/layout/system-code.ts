/** Whether the system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** What the system calls a failure: `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const isSaid = typeof error === 'object' && error !== null && 'code' in error
  return isSaid && typeof error.code === 'string' ? error.code : undefined
}
