import { bytesOf, isShared } from './bytes'
import { argumentType, outOfRange } from './errors'
import type { Session } from './session'

/** The maximum number of arguments that an SQL function can declare, as in better-sqlite3. */
const MAX_ARGUMENTS = 100

/** A caller's function. */
export type Callback = (...values: unknown[]) => unknown

/**
 * Keeps a caller's functions alive while SQLite can call them.
 *
 * The addon holds weak references: most functions refer to the database, so a strong reference would keep the database
 * alive too.
 */
export class Callbacks {
  readonly #held = new Map<number, unknown>()
  #last = 0

  /** Holds a value, and returns the number of its registration. */
  hold(value: unknown): number {
    this.#held.set(++this.#last, value)
    return this.#last
  }

  /** `true` if any value is held. */
  get any(): boolean {
    return this.#held.size > 0
  }

  release(registrations: readonly number[]): void {
    for (const registration of registrations) this.#held.delete(registration)
  }

  clear(): void {
    this.#held.clear()
  }
}

/** Registers callbacks with `create`, which passes the registration's number to the addon. */
export function register(session: Session, callbacks: unknown, create: (registration: number) => void): void {
  try {
    session.change(() => create(session.callbacks.hold(callbacks)))
  } finally {
    session.callbacks.release(session.native.takeReleased())
  }
}

/** Returns the name of a function or a module. */
export function nameArgument(name: unknown): string {
  if (typeof name !== 'string') throw argumentType('Expected first argument to be a string')
  return name
}

/**
 * Returns a boolean option, or `absent` if the object lacks the option. Undefined is not a boolean, as in
 * better-sqlite3.
 */
export function ownBoolean<T>(options: object, name: string, absent: T): boolean | T {
  if (!(name in options)) return absent
  const value = (options as Record<string, unknown>)[name]
  if (typeof value !== 'boolean') throw argumentType(`Expected the "${name}" option to be a boolean`)
  return value
}

/** Returns the number of parameters that a function declares. */
export function lengthOf({ length }: { readonly length: number }): number {
  if (Number.isInteger(length) && length >= 0) return length
  throw argumentType('Expected function.length to be a positive integer')
}

/** Returns the number of arguments of an SQL function. Throws if the number is out of range. */
export function argumentCount(count: number): number {
  if (count <= MAX_ARGUMENTS) return count
  throw outOfRange(`User-defined functions cannot have more than ${MAX_ARGUMENTS} arguments`)
}

/**
 * Converts bytes to a type that the addon accepts. Returns any other value unchanged; the addon refuses invalid types.
 */
export function sqlValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !ArrayBuffer.isView(value)) return value
  const bytes = bytesOf(value)
  return isShared(bytes) ? new Uint8Array(bytes) : bytes
}
