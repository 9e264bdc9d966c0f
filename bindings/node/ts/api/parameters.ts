import { types } from 'node:util'
import { byteLength, bytesOf, isShared } from './bytes'
import { argumentType, argumentValue, outOfRange } from './errors'

/** The maximum length in bytes of a typed array that V8 stores inside its heap. */
const IN_HEAP = 64

/**
 * The parameters of a statement. `arrange` turns a caller's arguments into one value per parameter, in SQLite's order.
 *
 * Values by position fill `?` and `?N` from left to right. Named parameters (`:a`, `@a`, `$a`) come from one object,
 * whose other properties are ignored. The error is about the first invalid argument, as in better-sqlite3.
 */
export class Parameters {
  /** The name of each parameter without its prefix, or undefined for a parameter that is filled by position. */
  readonly #names: readonly (string | undefined)[]
  /** The indices of the parameters that are filled by position. */
  readonly #positions: readonly number[]

  /**
   * The number of parameters, or -1 if some have names. A call with exactly this number of arguments may need no
   * arrangement.
   */
  readonly plain: number

  /** @param labels - the names of the parameters in the SQL, null for a `?` */
  constructor(private readonly labels: readonly (string | null | undefined)[]) {
    this.#names = labels.map((label) => (label == null || label.startsWith('?') ? undefined : label.slice(1)))
    this.#positions = this.#names.flatMap((name, index) => (name === undefined ? [index] : []))
    this.plain = this.#positions.length === labels.length ? labels.length : -1
  }

  /** Returns one value per parameter, each of a type that the addon takes. */
  arrange(given: readonly unknown[]): unknown[] {
    const values = new Array<unknown>(this.labels.length)
    let filled = 0
    let named = false
    const fill = (value: unknown): void => {
      const index = this.#positions[filled++]
      const bindable = this.#bindable(value, index ?? this.labels.length)
      if (index === undefined) throw this.#count('many', given)
      values[index] = bindable
    }
    for (const argument of given) {
      if (typeof argument !== 'object' || argument === null) fill(argument)
      else if (Array.isArray(argument)) for (let i = 0; i < argument.length; i++) fill(argument[i])
      else if (!isPlain(argument)) fill(argument)
      else if (named) throw argumentType('You cannot specify named parameters in two different objects')
      else {
        named = true
        this.#fromObject(argument, values)
      }
    }
    if (!named && this.#positions.length < this.labels.length) {
      const name = this.#names.find((name) => name !== undefined)
      throw argumentType(`missing named parameters: pass an object such as { ${name}: value }`)
    }
    if (filled < this.#positions.length) throw this.#count('few', given)
    // Every getter has run by now. A getter may have transferred the buffer of another parameter.
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value === 'object' && value !== null) values[i] = this.#bytes(value as ArrayBufferView, i)
    }
    return values
  }

  #fromObject(object: object, values: unknown[]): void {
    this.#names.forEach((name, index) => {
      if (name === undefined) return
      if (!Object.hasOwn(object, name)) throw outOfRange(`missing named parameter "${name}"`)
      values[index] = this.#bindable((object as Record<string, unknown>)[name], index)
    })
  }

  #count(problem: 'few' | 'many', given: readonly unknown[]): RangeError {
    const count = given.flatMap((argument) =>
      Array.isArray(argument) || !isPlainObject(argument) ? argument : [],
    ).length
    return outOfRange(
      `too ${problem} parameter values: the statement takes ${this.#positions.length} by position, but the call ` +
        `passes ${count}`,
    )
  }

  /** Checks the type of a value. `index` counts from 0; error messages count from 1, as SQL does. */
  #bindable(value: unknown, index: number): unknown {
    switch (typeof value) {
      case 'number':
      case 'string':
      case 'bigint':
      case 'undefined':
        return value
      case 'object':
        if (value === null || isBytes(value)) return value
    }
    return this.#refused(value, index)
  }

  #refused(value: unknown, index: number): never {
    throw argumentType(
      `${this.#label(index)} must be a number, string, bigint, Buffer, typed array or null, not ${describe(value)}`,
    )
  }

  #bytes(value: ArrayBufferView | ArrayBufferLike, index: number): Uint8Array {
    let bytes: Uint8Array
    try {
      // The buffer of an empty array may be detached or shrunk; its methods then throw.
      if (types.isTypedArray(value) && byteLength(value) === 0) Uint8Array.prototype.values.call(value)
      bytes = ArrayBuffer.isView(value) ? bytesOf(value) : new Uint8Array(value)
    } catch {
      throw argumentValue(
        `${this.#label(index)} is a buffer that was transferred or shrunk, or a view of such a buffer: pass a buffer ` +
          'that still holds its bytes',
      )
    }
    // V8 stores a small array in its heap. Reading its buffer moves the array out of the heap, which is slower than a
    // copy.
    if (byteLength(bytes) <= IN_HEAP) return new Uint8Array(bytes)
    // JavaScript defines the result of copying shared memory that another thread writes.
    return isShared(bytes) ? new Uint8Array(bytes) : bytes
  }

  #label(index: number): string {
    const label = this.labels[index]
    return label == null ? `parameter ${index + 1}` : `parameter ${index + 1} (${label})`
  }
}

/** Returns whether an object was created by `{}` or `Object.create(null)`, in any realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isPlain(value)
}

function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)
}

/** Returns the name of a value's type. Never includes the value itself. */
function describe(value: unknown): string {
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = value?.constructor?.name
  return name ? `an object of class ${name}` : 'an object'
}
