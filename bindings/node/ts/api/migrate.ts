import { addon } from '../load/loader'
import type { NativeKey, NativeMigration, NativeMigrationOptions } from '../load/native'
import { callback, type Given, integer, optionalBoolean, optionsObject, pathArgument } from './arguments'
import { abortSignal, cancelled, ended, keepPath, type Work } from './conversion'
import { argumentType, argumentValue, fromNative } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest, type OpenKeyOptions, openingKey, requiredKey, wipe } from './key'

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

/** The new key of a file, or `{ plain: true }` for a file without encryption. */
export type MigrateKey = KeyOptions | { plain: true }

/** The secret that opens a file, or `{ plain: true }` for a file without encryption. */
export type MigrateSource = OpenKeyOptions | { plain: true }

/** Options of {@link decrypt}. */
export interface DecryptOptions extends MigrateOptions {
  /** The current key of the file. */
  from: OpenKeyOptions
}

/** Options of {@link migrate}. */
export interface MigrateKeys extends MigrateOptions {
  /** The current key of the file, or `{ plain: true }`. */
  from: MigrateSource
  /** The new key of the file, or `{ plain: true }`. */
  to: MigrateKey
}

const OPTIONS: readonly string[] = ['progress', 'signal', 'keep', 'timeout'] satisfies (keyof MigrateOptions)[]

/** Encrypts a plain database file. */
export async function encrypt(path: string, to: KeyOptions, options?: MigrateOptions | null): Promise<MigrateResult> {
  const given = optionsObject(options, OPTIONS, 'third')
  return convert(path, given, {
    from: () => undefined,
    to: () => requiredKey(keyObject(to, KEY_NAMES, 'second argument of encrypt'), 'the second argument of encrypt'),
  })
}

/** Decrypts a database file. */
export async function decrypt(path: string, options: DecryptOptions): Promise<MigrateResult> {
  const given = conversionOptions(options, ['from'])
  return convert(path, given, { from: () => current(given['from']), to: () => undefined })
}

/** Converts a database file between plain and encrypted, or between two keys. */
export async function migrate(path: string, options: MigrateKeys): Promise<MigrateResult> {
  const given = conversionOptions(options, ['from', 'to'])
  return convert(path, given, {
    from: () => keyOrPlain(given['from'], '"from" option of migrate', openingKey),
    to: () => keyOrPlain(given['to'], '"to" option of migrate', keyRequest),
  })
}

/** Checks the names of the options. A key belongs into the option that says which key it is. */
function conversionOptions(options: unknown, keys: readonly string[]): Given {
  const misplaced = KEY_NAMES.find((name) => typeof options === 'object' && options !== null && name in options)
  if (misplaced !== undefined)
    throw argumentType(
      `the option "${misplaced}" does not exist here: pass it in ${keys.map((key) => `"${key}"`).join(' or ')}`,
    )
  return optionsObject(options, [...OPTIONS, ...keys])
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
  const work: Work = { name: `the conversion of "${file}"`, done: 'the file is already converted', progress, signal }
  const { tables, rows, pages, pageSize } = await ended(start(options, keys, work), work)
  return { tables, rows, pages, pageSize }
}

/** Starts a conversion. The addon copies the keys, and this function wipes its own copies. */
function start(
  options: NativeMigrationOptions,
  keys: Record<'from' | 'to', () => NativeKey | undefined>,
  work: Work,
): NativeMigration {
  try {
    const from = keys.from()
    if (from !== undefined) options.from = from
    const to = keys.to()
    if (to !== undefined) options.to = to
    if (work.signal?.aborted) throw cancelled(work)
    return new (addon().NativeMigration)(options)
  } catch (error) {
    throw fromNative(error)
  } finally {
    wipe(options.from)
    wipe(options.to)
  }
}

/** Reads the secret of the file to decrypt. */
function current(value: unknown): NativeKey {
  const what = '"from" option of decrypt'
  const key = openingKey(keyObject(value, KEY_NAMES, what), `the ${what} needs a key`)
  if (key === undefined) throw argumentType(`the ${what} needs "key", "passphrase" or "recovery"`)
  return key
}

function keyOrPlain(
  value: unknown,
  what: string,
  read: (given: Given, absent: string) => NativeKey | undefined,
): NativeKey | undefined {
  const given = keyObject(value, [...KEY_NAMES, 'plain'], what, 'with "key", "passphrase" or "plain: true"')
  const plain = optionalBoolean(given, 'plain') ?? false
  const key = read(given, 'pass "plain: true" for a file without encryption')
  if (plain === (key !== undefined)) {
    wipe(key)
    throw argumentType(`the ${what} needs exactly one of "key", "passphrase" and "plain: true"`)
  }
  return key
}

function keyObject(
  value: unknown,
  names: readonly string[],
  what: string,
  contents = 'with "key" or "passphrase"',
): Given {
  if (typeof value !== 'object' || value === null)
    throw argumentType(`Expected the ${what} to be an object ${contents}`)
  return optionsObject(value, names)
}
