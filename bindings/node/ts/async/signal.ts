/** A call that a signal can end. */
export interface Abortable {
  abort(reason: unknown): void
}

/**
 * The calls of each signal. A signal has one listener for all of its calls, because Node warns of a signal with many
 * listeners.
 */
const calls = new WeakMap<AbortSignal, Watched>()

class Watched {
  readonly calls = new Set<Abortable>()
  readonly listener: () => void

  constructor(signal: AbortSignal) {
    this.listener = () => {
      calls.delete(signal)
      for (const call of this.calls) call.abort(signal.reason)
    }
  }
}

/** Calls `call.abort` when the signal aborts, until {@link unwatch}. */
export function watch(signal: AbortSignal, call: Abortable): void {
  let watched = calls.get(signal)
  if (watched === undefined) {
    watched = new Watched(signal)
    signal.addEventListener('abort', watched.listener, { once: true })
    calls.set(signal, watched)
  }
  watched.calls.add(call)
}

export function unwatch(signal: AbortSignal, call: Abortable): void {
  const watched = calls.get(signal)
  if (watched === undefined) return
  watched.calls.delete(call)
  if (watched.calls.size > 0) return
  calls.delete(signal)
  try {
    signal.removeEventListener('abort', watched.listener)
  } catch {
    // A caller's own signal must not stop the end of a call.
  }
}
