import type { NativeKey, NativeMigration, NativeRotation, NativeRotationOptions } from '../load/native'
import { boolean, callback, type Given, integer, optionsObject } from './arguments'
import { abortSignal, cancelled, ended, keepPath, type Work } from './conversion'
import { argumentType, fromNative } from './errors'
import { openingKey, wipe } from './key'
import { type KeySlot, slot } from './keys'
import type { Session } from './session'

/** The progress of {@link KeySlots.rotate}. */
export interface RotateProgress {
  /** The number of pages written so far, plus the number of pages read back. */
  done: number
  /** Twice the number of pages of the file: each page is written and read back. */
  total: number
}

/** The secret of a slot that {@link KeySlots.rotate} keeps: exactly one of the three. */
export type RotateSecret =
  | { key: Uint8Array; passphrase?: never; recovery?: never }
  | { passphrase: string | Uint8Array; key?: never; recovery?: never }
  | { recovery: string | Uint8Array; key?: never; passphrase?: never }

/** Options of {@link KeySlots.rotate}. */
export interface RotateOptions {
  /** The secrets of the slots to keep. The slot that opened this connection needs no secret. Default: none. */
  secrets?: readonly RotateSecret[] | null
  /** Drops the slots whose secrets are missing, instead of failing with `STRONGROOM_SLOT_SECRETS`. Default: false. */
  dropOthers?: boolean
  /** A function that gets the progress every few milliseconds, and returns false to cancel the rotation. */
  progress?: ((progress: RotateProgress) => unknown) | null
  /** Cancels the rotation. */
  signal?: AbortSignal | null
  /**
   * The path for the original file, which must not exist yet. The original keeps its data key and all its slots.
   * Default: the rotation replaces the original.
   */
  keep?: string | null
  /** The time in milliseconds to wait for another connection to close the file. Default: 5,000. */
  timeout?: number
}

/** The result of {@link KeySlots.rotate}. */
export interface RotateResult {
  /** The slots that the rotation dropped, because `secrets` has no secret for them. */
  dropped: KeySlot[]
}

const NAMES: readonly string[] = [
  'secrets',
  'dropOthers',
  'progress',
  'signal',
  'keep',
  'timeout',
] satisfies (keyof RotateOptions)[]

/** Checks the arguments of `rotate`, closes the connection, and rewrites the file. */
export async function rotate(session: Session, options: unknown): Promise<RotateResult> {
  const given = optionsObject(options, NAMES, 'first')
  const work: Work = {
    name: 'the rotation of the keys',
    done: 'the file already has its new data key',
    progress: callback<(progress: RotateProgress) => unknown>(given, 'progress'),
    signal: abortSignal(given),
  }
  const native: NativeRotationOptions = {
    secrets: [],
    dropOthers: boolean(given, 'dropOthers'),
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
  }
  const keep = given['keep'] ?? undefined
  if (keep !== undefined) native.keep = keepPath(keep)
  const rotation = prepared(session, given['secrets'] ?? [], native, work)
  const { dropped } = await ended(begun(session, rotation), work)
  return { dropped: Array.from(dropped, slot) }
}

/** Checks the secrets with the file's slots. The connection stays open after an error. */
function prepared(session: Session, secrets: unknown, options: NativeRotationOptions, work: Work): NativeRotation {
  if (!Array.isArray(secrets)) throw argumentType('Expected the "secrets" option to be an array')
  try {
    for (const [index, secret] of secrets.entries()) options.secrets.push(secretOf(secret, index))
    // Closing the connection fails while an iterator reads.
    session.idle()
    if (work.signal?.aborted) throw cancelled(work)
    return session.native.rotation(options)
  } catch (error) {
    throw fromNative(error)
  } finally {
    for (const key of options.secrets) wipe(key)
  }
}

/** Closes the connection, and starts the rotation: no connection may have the file open. */
function begun(session: Session, rotation: NativeRotation): NativeMigration {
  session.close()
  try {
    return rotation.start()
  } catch (error) {
    throw fromNative(error)
  }
}

function secretOf(secret: unknown, index: number): NativeKey {
  const what = `element ${index} of the "secrets" option`
  if (typeof secret !== 'object' || secret === null)
    throw argumentType(`Expected ${what} to be an object with "key", "passphrase" or "recovery"`)
  const given: Given = optionsObject(secret, ['key', 'passphrase', 'recovery'], what)
  const key = openingKey(given, `${what} needs a secret`)
  if (key === undefined) throw argumentType(`${what} needs "key", "passphrase" or "recovery"`)
  return key
}
