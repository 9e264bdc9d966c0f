import * as threads from 'node:worker_threads'

/** Makes the methods of a prototype enumerable, as those of better-sqlite3 are. */
export function enumerable(prototype: object): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name !== 'constructor' && descriptor.configurable)
      Object.defineProperty(prototype, name, { ...descriptor, enumerable: true })
  }
}

/**
 * Makes `postMessage` and `structuredClone` throw for an object that belongs to its thread. Older versions of Node post its
 * properties instead.
 */
export function uncloneable(object: object): void {
  const mark = (threads as { markAsUncloneable?: (object: object) => void }).markAsUncloneable
  mark?.(object)
}
