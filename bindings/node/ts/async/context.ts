import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** A callback of `transaction` or `read` that runs in the current asynchronous context. */
export interface Entry {
  /** The object whose method runs the callback: its other methods are refused inside. Undefined after the end. */
  outer: object | undefined
  readonly kind: 'transaction' | 'read'
  /** The callback around this one. */
  readonly parent: Entry | undefined
}

/** Created for the first callback: until then, no call pays for the storage. */
let storage: AsyncLocalStorage<Entry> | undefined

/** Runs a callback inside an entry. */
export function enter<T>(outer: object, kind: Entry['kind'], work: (entry: Entry) => T): T {
  storage ??= new AsyncLocalStorage()
  const entry: Entry = { outer, kind, parent: storage.getStore() }
  return storage.run(entry, work, entry)
}

/** Ends an entry. Work that continues in its context may use the outer object again. */
export function leave(entry: Entry): void {
  entry.outer = undefined
}

/** Returns the open callback that a method of `outer` runs in, if any. */
export function enclosing(outer: object): Entry | undefined {
  if (storage === undefined) return undefined
  for (let entry = storage.getStore(); entry !== undefined; entry = entry.parent)
    if (entry.outer === outer) return entry
  return undefined
}

/**
 * Returns a function that runs work in the present asynchronous context. The reply to another call may begin a
 * transaction that has waited, and its callback must see the `AsyncLocalStorage` of its own caller.
 */
export function presentContext(): <T>(work: () => T) => T {
  const resource = new AsyncResource('Strongroom')
  return (work) => resource.runInAsyncScope(work)
}
