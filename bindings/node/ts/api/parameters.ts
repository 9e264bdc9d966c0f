import { types } from 'node:util'
import { argumentType, argumentValue, outOfRange } from './errors'

/**
 * The parameters of a statement. `arrange` turns a caller's arguments into one value per parameter, in SQLite's order.
 *
 * Values by position fill `?` and `?N` from left to right. Named parameters (`:a`, `@a`, `$a`) come from one object.
 */
export class Parameters {
  /** The name of each parameter without its prefix, or undefined for a parameter that is filled by position. */
  readonly #names: readonly (string | undefined)[]
  readonly #named: ReadonlySet<string>
  readonly #positional: number

  /** @param labels - the names of the parameters in the SQL, null for a `?` */
  constructor(private readonly labels: readonly (string | null | undefined)[]) {
    this.#names = labels.map((label) => (label == null || label.startsWith('?') ? undefined : label.slice(1)))
    this.#named = new Set(this.#names.filter((name) => name !== undefined))
    this.#positional = this.#names.filter((name) => name === undefined).length
  }

  /** Returns one value per parameter, each of a type that the addon takes. */
  arrange(given: readonly unknown[]): unknown[] {
    const values: unknown[] = []
    let named: object | undefined
    for (const argument of given) {
      if (typeof argument !== 'object' || argument === null) values.push(argument)
      else if (Array.isArray(argument)) for (let i = 0; i < argument.length; i++) values.push(argument[i])
      else if (!isPlain(argument)) values.push(argument)
      else if (named === undefined) named = argument
      else throw argumentType('named parameters must come in one object, not in two')
    }
    if (named !== undefined) this.#refuseUnknown(named)
    if (values.length !== this.#positional)
      throw outOfRange(
        `too ${values.length < this.#positional ? 'few' : 'many'} parameter values: the statement takes ` +
          `${this.#positional} by position, ${values.length} given`,
      )
    // Every getter runs before the first value is checked, because it may transfer the buffer of another parameter.
    const ordered = this.#named.size === 0 ? values : this.#inOrder(values, named)
    for (let i = 0; i < ordered.length; i++) ordered[i] = this.#bindable(ordered[i], i)
    return ordered
  }

  #inOrder(values: readonly unknown[], named: object | undefined): unknown[] {
    let next = 0
    return this.#names.map((name) => (name === undefined ? values[next++] : this.#property(named, name)))
  }

  #property(named: object | undefined, name: string): unknown {
    if (named === undefined)
      throw outOfRange(`missing named parameter "${name}": pass an object such as { ${name}: value }`)
    if (!Object.hasOwn(named, name)) throw outOfRange(`missing named parameter "${name}"`)
    return (named as Record<string, unknown>)[name]
  }

  #refuseUnknown(named: object): void {
    for (const key of Object.keys(named)) {
      if (this.#named.has(key)) continue
      const known = [...this.#named].map((name) => `"${name}"`).join(', ')
      throw outOfRange(
        `unknown named parameter "${key}": the statement has ${known === '' ? 'no named parameters' : known}`,
      )
    }
  }

  /** Returns the value in a type that the addon takes. `index` counts from 0; messages count from 1, as SQL does. */
  #bindable(value: unknown, index: number): unknown {
    switch (typeof value) {
      case 'number':
      case 'string':
      case 'bigint':
      case 'undefined':
        return value
      case 'object':
        if (value === null) return value
        if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return this.#bytes(value, index)
    }
    throw argumentType(
      `${this.#label(index)} must be a number, string, bigint, Buffer, typed array or null, not ${describe(value)}`,
    )
  }

  #bytes(value: ArrayBufferView | ArrayBufferLike, index: number): Uint8Array {
    let bytes: Uint8Array
    try {
      // The memory of an empty array may be gone, in which case its methods throw.
      if (types.isTypedArray(value) && value.byteLength === 0) value.values()
      if (types.isUint8Array(value)) bytes = value
      else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      else bytes = new Uint8Array(value)
    } catch {
      throw argumentValue(
        `${this.#label(index)} is a buffer that was transferred or shrunk, or a view on such a buffer`,
      )
    }
    // Another thread can write to shared memory while the addon reads it; copying it in JavaScript is well defined.
    return types.isSharedArrayBuffer(bytes.buffer) ? new Uint8Array(bytes) : bytes
  }

  #label(index: number): string {
    const label = this.labels[index]
    return label == null ? `parameter ${index + 1}` : `parameter ${index + 1} (${label})`
  }
}

/** Whether a value is an object of `{}` or `Object.create(null)`, in any realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Names the type of a value, and never its content. */
function describe(value: unknown): string {
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = value?.constructor?.name
  return name ? `an object of class ${name}` : 'an object'
}
