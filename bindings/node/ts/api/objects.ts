/** Makes the methods of a prototype enumerable, as those of better-sqlite3 are. */
export function enumerable(prototype: object): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name !== 'constructor' && descriptor.configurable)
      Object.defineProperty(prototype, name, { ...descriptor, enumerable: true })
  }
}

let mark: ((object: object) => void) | undefined

/** Loads Node's module of threads, which takes a millisecond, with the first database. */
function markOfNode(): (object: object) => void {
  const threads = require('node:worker_threads') as { markAsUncloneable?: (object: object) => void }
  return threads.markAsUncloneable ?? (() => {})
}

/**
 * Makes `postMessage` and `structuredClone` throw for an object that belongs to its thread. Older versions of Node post its
 * properties instead.
 */
export function uncloneable(object: object): void {
  mark ??= markOfNode()
  mark(object)
}
