import { bytesOf, isShared } from './bytes'
import { argumentType, outOfRange } from './errors'
import type { Session } from './session'

/** The most arguments that SQLite allows an SQL function of ours to declare. */
const MAX_ARGUMENTS = 100

/** A caller's function. */
export type Callback = (...values: unknown[]) => unknown

/**
 * Keeps a caller's functions alive as long as SQLite may call them.
 *
 * The addon refers to them weakly: a strong reference of the addon would keep the database alive too, which most functions
 * refer to.
 */
export class Callbacks {
  readonly #held = new Map<number, unknown>()
  #last = 0

  /** Keeps a value. Returns the number of its registration. */
  hold(value: unknown): number {
    this.#held.set(++this.#last, value)
    return this.#last
  }

  /** Whether anything is held. */
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

/** Registers callbacks by `create`, which passes the registration's number to the addon. */
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

/** Returns an option that is a boolean, or `absent` if the object does not have it. As in better-sqlite3, undefined is not. */
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

/** Returns the number of arguments of an SQL function, if it is in range. */
export function argumentCount(count: number): number {
  if (count <= MAX_ARGUMENTS) return count
  throw outOfRange(`User-defined functions cannot have more than ${MAX_ARGUMENTS} arguments`)
}

/** Returns a callback's value in a type that the addon takes, if it is bytes. The addon refuses what SQL does not have. */
export function sqlValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !ArrayBuffer.isView(value)) return value
  const bytes = bytesOf(value)
  return isShared(bytes) ? new Uint8Array(bytes) : bytes
}
