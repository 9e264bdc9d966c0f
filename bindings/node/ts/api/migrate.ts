import { setTimeout as wait } from 'node:timers/promises'
import { addon } from '../load/loader'
import type { NativeKey, NativeMigration, NativeMigrationOptions } from '../load/native'
import { callback, type Given, integer, optionalBoolean, optionsObject, pathArgument } from './arguments'
import { argumentType, argumentValue, fromNative, SqliteError } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest, requiredKey, wipe } from './key'

/** The progress of {@link encrypt}, {@link decrypt} and {@link migrate}. */
export interface MigrateProgress {
  /** The number of pages written so far, plus the number of pages read back. */
  done: number
  /**
   * Twice the number of pages of the file: each page is written and read back. 0 while the conversion waits for a lock.
   */
  total: number
}

/** The file after {@link encrypt}, {@link decrypt} or {@link migrate}. */
export interface MigrateResult {
  /** The number of tables, including the shadow tables of virtual tables. */
  tables: number
  /** The number of rows in the tables. */
  rows: number
  /** The number of pages. */
  pages: number
  /** Bytes per page. */
  pageSize: number
}

/** Options of {@link encrypt}, {@link decrypt} and {@link migrate}. */
export interface MigrateOptions {
  /** A function that gets the progress every few milliseconds, and returns false to cancel the conversion. */
  progress?: ((progress: MigrateProgress) => unknown) | null
  /** Cancels the conversion. */
  signal?: AbortSignal | null
  /**
   * The path for the original file, which must not exist yet. Default: the conversion replaces the original. Names that
   * SQLite and this package use for files beside a database, such as `a.db-wal`, are refused.
   */
  keep?: string | null
  /** The time in milliseconds to wait for another connection to close the file. Default: 5,000. */
  timeout?: number
}

/** The key of a file, or `{ plain: true }` for a file without encryption. */
export type MigrateKey = KeyOptions | { plain: true }

/** Options of {@link decrypt}. */
export interface DecryptOptions extends MigrateOptions {
  /** The current key of the file. */
  from: KeyOptions
}

/** Options of {@link migrate}. */
export interface MigrateKeys extends MigrateOptions {
  /** The current key of the file, or `{ plain: true }`. */
  from: MigrateKey
  /** The new key of the file, or `{ plain: true }`. */
  to: MigrateKey
}

const OPTIONS: readonly string[] = ['progress', 'signal', 'keep', 'timeout'] satisfies (keyof MigrateOptions)[]
/** The intervals at which the conversion is polled, in milliseconds. */
const INTERVALS = [1, 2, 4, 8]
const LONGEST_INTERVAL = 10

/** Encrypts a plain database file. */
export async function encrypt(path: string, to: KeyOptions, options?: MigrateOptions | null): Promise<MigrateResult> {
  const given = optionsObject(options, OPTIONS, 'third')
  return convert(path, given, { from: () => undefined, to: () => required(to, 'second argument of encrypt') })
}

/** Decrypts a database file. */
export async function decrypt(path: string, options: DecryptOptions): Promise<MigrateResult> {
  const given = optionsObject(options, [...OPTIONS, 'from'])
  return convert(path, given, { from: () => required(given['from'], '"from" option of decrypt'), to: () => undefined })
}

/** Converts a database file between plain and encrypted, or between two keys. */
export async function migrate(path: string, options: MigrateKeys): Promise<MigrateResult> {
  const given = optionsObject(options, [...OPTIONS, 'from', 'to'])
  return convert(path, given, {
    from: () => keyOrPlain(given['from'], '"from" option of migrate'),
    to: () => keyOrPlain(given['to'], '"to" option of migrate'),
  })
}

async function convert(
  path: unknown,
  given: Given,
  keys: Record<'from' | 'to', () => NativeKey | undefined>,
): Promise<MigrateResult> {
  const file = pathArgument(path, 'the path of the database')
  if (file === '' || file === ':memory:')
    throw argumentValue('cannot convert an in-memory database: pass the path of a file')
  const progress = callback<(progress: MigrateProgress) => unknown>(given, 'progress')
  const signal = abortSignal(given)
  const keep = given['keep'] ?? undefined
  const options: NativeMigrationOptions = {
    path: file,
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
  }
  if (keep !== undefined) options.keep = keepPath(keep)
  return ended(start(options, keys, signal), file, progress, signal)
}

/** Starts a conversion. The addon copies the keys, and this function wipes its own copies. */
function start(
  options: NativeMigrationOptions,
  keys: Record<'from' | 'to', () => NativeKey | undefined>,
  signal: AbortSignal | undefined,
): NativeMigration {
  try {
    const from = keys.from()
    if (from !== undefined) options.from = from
    const to = keys.to()
    if (to !== undefined) options.to = to
    if (signal?.aborted) throw cancelled(options.path, signal)
    return new (addon().NativeMigration)(options)
  } catch (error) {
    throw fromNative(error)
  } finally {
    wipe(options.from)
    wipe(options.to)
  }
}

/** Waits until a conversion ends. The addon's thread never calls into JavaScript, so this function polls. */
async function ended(
  native: NativeMigration,
  file: string,
  progress: ((progress: MigrateProgress) => unknown) | undefined,
  signal: AbortSignal | undefined,
): Promise<MigrateResult> {
  let thrown: { error: unknown } | undefined
  let last: MigrateProgress | undefined
  const report = (now: MigrateProgress): void => {
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
      if (thrown !== undefined) throw tooLate(thrown.error)
      return { tables: result.tables, rows: result.rows, pages: result.pages, pageSize: result.pageSize }
    }
  } catch (error) {
    const own = fromNative(error)
    if (!(own instanceof SqliteError) || own.code !== 'STRONGROOM_CANCELLED') throw own
    if (thrown !== undefined) throw thrown.error
    throw signal?.aborted ? cancelled(file, signal) : own
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** Returns the error of a conversion that its signal cancelled, with the signal's reason as the cause. */
function cancelled(file: string, signal: AbortSignal): SqliteError {
  const message = `the conversion of "${file}" was cancelled; the file is as it was`
  const cause = signal.reason instanceof Error ? { cause: signal.reason } : undefined
  return new SqliteError(message, 'STRONGROOM_CANCELLED', cause)
}

/** Returns the error for a progress function that threw after the file was converted. */
function tooLate(error: unknown): SqliteError {
  const cause = error instanceof Error ? { cause: error } : undefined
  const message = 'the progress function threw, but the file is already converted'
  return new SqliteError(message, 'STRONGROOM_REKEY_UNVERIFIED', cause)
}

function keepPath(keep: unknown): string {
  if (typeof keep !== 'string') throw argumentType('Expected the "keep" option to be a string (a path)')
  if (keep === '') throw argumentValue('The "keep" option cannot be an empty string')
  return pathArgument(keep, 'the "keep" option')
}

function abortSignal(given: Given): AbortSignal | undefined {
  const signal = given['signal'] ?? undefined
  if (signal !== undefined && !isAbortSignal(signal))
    throw argumentType('Expected the "signal" option to be an AbortSignal')
  return signal
}

/** Returns whether a value is an AbortSignal, including one of another realm or a polyfill. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}

function required(value: unknown, what: string): NativeKey {
  return requiredKey(keyObject(value, KEY_NAMES, what, 'with "key" or "passphrase"'), `the ${what}`)
}

function keyOrPlain(value: unknown, what: string): NativeKey | undefined {
  const given = keyObject(value, [...KEY_NAMES, 'plain'], what, 'with "key", "passphrase" or "plain: true"')
  const plain = optionalBoolean(given, 'plain') ?? false
  const key = keyRequest(given, 'pass "plain: true" for a file without encryption')
  if (plain === (key !== undefined))
    throw argumentType(`the ${what} needs exactly one of "key", "passphrase" and "plain: true"`)
  return key
}

function keyObject(value: unknown, names: readonly string[], what: string, contents: string): Given {
  if (typeof value !== 'object' || value === null)
    throw argumentType(`Expected the ${what} to be an object ${contents}`)
  return optionsObject(value, names)
}
