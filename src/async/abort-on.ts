/** A signal that aborts when the process is told to stop, so that upload sessions are cancelled and files removed. */
export function abortOn(...names: readonly NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  for (const name of names) {
    // Once: a second Ctrl-C ends the process the hard way.
    process.once(name, () => {
      controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
    })
  }
  return controller.signal
}
