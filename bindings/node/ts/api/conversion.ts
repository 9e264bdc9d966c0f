import { setTimeout as wait } from 'node:timers/promises'
import type { NativeConverted, NativeMigration } from '../load/native'
import { type Given, pathArgument } from './arguments'
import { argumentType, argumentValue, fromNative, SqliteError } from './errors'

/** The progress of a conversion, in pages. */
interface Progress {
  done: number
  total: number
}

/** A conversion of a file, for its messages, and the functions of its caller. */
export interface Work {
  /** The conversion and its file, such as `the conversion of "a.db"`. */
  name: string
  /** The state of the file after the conversion, such as `the file is already converted`. */
  done: string
  progress: ((progress: Progress) => unknown) | undefined
  signal: AbortSignal | undefined
}

/** The intervals at which the conversion is polled, in milliseconds. */
const INTERVALS = [1, 2, 4, 8]
const LONGEST_INTERVAL = 10

/** Waits until a conversion ends. The addon's thread never calls into JavaScript, so this function polls. */
export async function ended(native: NativeMigration, work: Work): Promise<NativeConverted> {
  const { progress, signal } = work
  let thrown: { error: unknown } | undefined
  let last: Progress | undefined
  const report = (now: Progress): void => {
    if (progress === undefined || thrown !== undefined || (now.done === last?.done && now.total === last.total)) return
    last = now
    try {
      if (progress({ done: now.done, total: now.total }) === false) native.cancel()
    } catch (error) {
      thrown = { error }
      native.cancel()
    }
  }
  const abort = (): void => native.cancel()
  signal?.addEventListener('abort', abort)
  try {
    for (let look = 0; ; look += 1) {
      await wait(INTERVALS[look] ?? LONGEST_INTERVAL)
      const result = native.poll()
      const now = native.progress()
      if (now !== null) report(now)
      if (result === null) continue
      if (thrown !== undefined) throw tooLate(work, thrown.error)
      return result
    }
  } catch (error) {
    const own = fromNative(error)
    if (!(own instanceof SqliteError) || own.code !== 'STRONGROOM_CANCELLED') throw own
    if (thrown !== undefined) throw thrown.error
    throw signal?.aborted ? cancelled(work) : own
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** Returns the error of a conversion that its signal cancelled, with the signal's reason as the cause. */
export function cancelled({ name, signal }: Work): SqliteError {
  const cause = signal?.reason instanceof Error ? { cause: signal.reason } : undefined
  return new SqliteError(`${name} was cancelled; the file is as it was`, 'STRONGROOM_CANCELLED', cause)
}

/** Returns the error for a progress function that threw after the file was converted. */
function tooLate({ done }: Work, error: unknown): SqliteError {
  const cause = error instanceof Error ? { cause: error } : undefined
  return new SqliteError(`the progress function threw, but ${done}`, 'STRONGROOM_REKEY_UNVERIFIED', cause)
}

/** Returns the path under which a conversion keeps the original. */
export function keepPath(keep: unknown): string {
  if (typeof keep !== 'string') throw argumentType('Expected the "keep" option to be a string (a path)')
  if (keep === '') throw argumentValue('The "keep" option cannot be an empty string')
  return pathArgument(keep, 'the "keep" option')
}

/** Returns the signal of an options object. */
export function abortSignal(given: Given): AbortSignal | undefined {
  const signal = given['signal'] ?? undefined
  if (signal !== undefined && !isAbortSignal(signal))
    throw argumentType('Expected the "signal" option to be an AbortSignal')
  return signal
}

/** Returns whether a value is an AbortSignal, including one of another realm or a polyfill. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}
