import { AsyncLocalStorage } from 'node:async_hooks'

/** A callback of `transaction` or `read` that runs in the current asynchronous context. */
export interface Entry {
  /** The object whose method runs the callback: its other methods are refused inside. */
  readonly outer: object
  readonly kind: 'transaction' | 'read'
  /** `false` once the transaction or the snapshot has ended. */
  open: boolean
  /** The callback around this one. */
  readonly parent: Entry | undefined
}

/** Created for the first callback: until then, no call pays for the storage. */
let storage: AsyncLocalStorage<Entry> | undefined

/** Runs a callback inside an entry. */
export function enter<T>(outer: object, kind: Entry['kind'], work: (entry: Entry) => T): T {
  storage ??= new AsyncLocalStorage()
  const entry: Entry = { outer, kind, open: true, parent: storage.getStore() }
  return storage.run(entry, work, entry)
}

/** Returns the open callback that a method of `outer` runs in, if any. */
export function enclosing(outer: object): Entry | undefined {
  if (storage === undefined) return undefined
  for (let entry = storage.getStore(); entry !== undefined; entry = entry.parent)
    if (entry.open && entry.outer === outer) return entry
  return undefined
}
