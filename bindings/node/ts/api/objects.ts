/**
 * Makes the methods of a class, including inherited methods, enumerable properties of its prototype, as better-sqlite3
 * does.
 */
export function enumerable(prototype: object): void {
  const parent = Object.getPrototypeOf(prototype)
  const inherited = parent === Object.prototype ? {} : Object.getOwnPropertyDescriptors(parent)
  const methods = { ...inherited, ...Object.getOwnPropertyDescriptors(prototype) } as Record<
    PropertyKey,
    PropertyDescriptor
  >
  for (const key of Reflect.ownKeys(methods)) {
    const descriptor = methods[key as string] as PropertyDescriptor
    if (key !== 'constructor' && descriptor.configurable)
      Object.defineProperty(prototype, key, { ...descriptor, enumerable: typeof key === 'string' })
  }
}

let mark: ((object: object) => void) | undefined

/** Loads `node:worker_threads` for the first database and not at import, because loading takes a millisecond. */
function markOfNode(): (object: object) => void {
  const threads = require('node:worker_threads') as { markAsUncloneable?: (object: object) => void }
  return threads.markAsUncloneable ?? (() => {})
}

/**
 * Makes `postMessage` and `structuredClone` throw for an object that belongs to one thread. Older versions of Node
 * clone the object's properties instead.
 */
export function uncloneable(object: object): void {
  mark ??= markOfNode()
  mark(object)
}
