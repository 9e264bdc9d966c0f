import { types } from 'node:util'
import type { NativeKey } from '../load/native'
import { callback, optionsObject } from './arguments'
import { argumentType, fromNative, SqliteError } from './errors'
import { KEY_NAMES, OPENING_NAMES, requiredKey, wipe } from './key'
import type { Session } from './session'

/** The progress of {@link Database.rekey}. */
export interface RekeyProgress {
  /** The number of pages written so far, plus the number of pages read back. */
  done: number
  /** Twice the number of pages of the file: each page is written and read back. */
  total: number
}

/** Options of {@link Database.rekey}. */
export interface RekeyOptions {
  /** The name of an attached database. Default: `main`. */
  attached?: string
  /**
   * A function that gets the progress, and returns false to cancel the rekey. Once pages are read back, the rekey
   * cannot be cancelled. The function cannot use the database.
   */
  progress?: ((progress: RekeyProgress) => unknown) | null
}

const NAMES: readonly string[] = ['attached', 'progress'] satisfies (keyof RekeyOptions)[]

/** The checked arguments of `rekey`. */
export interface RekeyRequest {
  attached: string
  progress: ((progress: RekeyProgress) => unknown) | undefined
  /** The new key, which the caller wipes. */
  key: NativeKey
}

/**
 * Checks the arguments of `rekey`.
 *
 * @param more - the names of further options, which the caller checks
 */
export function rekeyRequest(to: unknown, options: unknown, more: readonly string[] = []): RekeyRequest {
  if (types.isUint8Array(to)) throw argumentType('Expected first argument to be an object: pass { key: bytes }')
  if (typeof to !== 'object' || to === null)
    throw argumentType('Expected first argument to be an object with "key" or "passphrase"')
  const given = optionsObject(options, [...NAMES, ...more])
  const progress = callback<(progress: RekeyProgress) => unknown>(given, 'progress')
  const attached = given['attached'] ?? 'main'
  if (typeof attached !== 'string') throw argumentType('Expected the "attached" option to be a string')
  const key = requiredKey(optionsObject(to, KEY_NAMES, 'first', OPENING_NAMES), 'rekey')
  return { attached, progress, key }
}

/** Checks the arguments of `rekey`, and changes the key. */
export function rekey(session: Session, to: unknown, options: unknown): void {
  const { attached, progress, key } = rekeyRequest(to, options)
  let thrown: { error: unknown } | undefined
  const report = (done: number, total: number): boolean => {
    if (thrown !== undefined) return false
    try {
      return progress?.({ done, total }) !== false
    } catch (error) {
      thrown = { error }
      return false
    }
  }
  try {
    session.idle()
    session.callback(() => session.native.rekey(attached, key, report))
  } catch (error) {
    throw thrown?.error ?? fromNative(error)
  } finally {
    wipe(key)
  }
  if (thrown !== undefined) throw tooLate(thrown.error)
}

/** The error of a progress function that throws after the key has changed. */
export function tooLate(error: unknown): SqliteError {
  return new SqliteError(
    'the progress function threw, but the file already has the new key',
    'STRONGROOM_REKEY_UNVERIFIED',
    error instanceof Error ? { cause: error } : undefined,
  )
}
