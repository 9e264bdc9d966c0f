import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { types } from 'node:util'
import { addonAt, addon as ownAddon } from '../load/loader'
import type { NativeOpenOptions } from '../load/native'
import { boolean, callback, integer, lenientOptions, pathArgument } from './arguments'
import { argumentType, argumentValue } from './errors'
import { KEY_NAMES, needsFile, type OpenKeyOptions, openingKey } from './key'

type Addon = typeof import('../load/native')

/** Options for opening a database. */
export interface Options extends OpenKeyOptions {
  /** Refuses every change. Default: false. */
  readonly?: boolean | undefined
  /** Refuses to create the file. Default: false; always true with `recovery` or `slot`. */
  fileMustExist?: boolean | undefined
  /** The time in milliseconds to wait for another connection's lock before `SQLITE_BUSY`. Default: 5,000. */
  timeout?: number | undefined
  /**
   * A function, such as `console.log`, that gets the SQL of every statement before the statement runs. The SQL contains
   * the bound values but no keys. If the function throws, the statement does not run. The function cannot use the
   * database.
   */
  // biome-ignore lint/suspicious/noExplicitAny: @types/better-sqlite3 uses unknown, which refuses (sql: string) => void
  verbose?: ((sql?: any, ...more: any[]) => void) | undefined
  /** The addon to use instead of the package's own: the path of a `.node` file, or the loaded addon. */
  // biome-ignore lint/suspicious/noExplicitAny: a string or an object, and assignable to the string of @types/better-sqlite3
  nativeBinding?: any
}

/** Options of {@link Database.pragma}. */
export interface PragmaOptions {
  /** Returns only the first value of the first row. Default: false. */
  simple?: boolean | undefined
}

/** The checked arguments of the constructor. */
export interface OpenRequest {
  name: string
  memory: boolean
  readonly: boolean
  verbose: ((sql: string) => unknown) | undefined
  addon: Addon
  native: NativeOpenOptions
}

const NAMES: readonly string[] = [...KEY_NAMES, 'readonly', 'fileMustExist', 'timeout', 'verbose', 'nativeBinding']

/**
 * Checks the arguments of the constructor, and fills in the defaults.
 *
 * @param more - the names of further options, which the caller checks
 */
export function openRequest(path: unknown, options: unknown, more: readonly string[] = []): OpenRequest {
  const image = types.isUint8Array(path) ? imageBytes(path) : undefined
  const name = image ? ':memory:' : pathArgument(path ?? '', 'the path of the database')
  const given = lenientOptions(options, [...NAMES, ...more])
  if ('memory' in given) throw argumentType('the option "memory" does not exist: use the path ":memory:"')
  const file = name.trim()
  const memory = file === '' || file === ':memory:'
  const readonly = boolean(given, 'readonly')
  if (memory && readonly && image === undefined) throw argumentType('In-memory/temporary databases cannot be readonly')
  const verbose = callback<(sql: string) => unknown>(given, 'verbose')
  const native: NativeOpenOptions = {
    readonly,
    mustExist: boolean(given, 'fileMustExist'),
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
  }
  if (image !== undefined) native.image = image
  else if (!memory) native.path = file
  const key = openingKey(given, 'leave it out to open a database without encryption')
  if (key !== undefined) native.key = key
  if (needsFile(key)) native.mustExist = true
  const addon = addonFor(given['nativeBinding'] ?? undefined)
  if (native.path !== undefined) requireFolder(native.path)
  return { name, memory, readonly, verbose, addon, native }
}

/** Returns the addon that `nativeBinding` names, or the package's own addon. */
function addonFor(binding: unknown): Addon {
  if (binding === undefined) return ownAddon()
  if (typeof binding === 'object') return binding as Addon
  if (typeof binding !== 'string')
    throw argumentType('Expected the "nativeBinding" option to be a string or addon object')
  return addonAt(resolve(binding).replace(/(\.node)?$/, '.node'))
}

/** Throws if the folder of a file does not exist, as better-sqlite3 does. */
function requireFolder(file: string): void {
  const folder = dirname(file)
  try {
    statSync(folder)
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ENOENT') return
    const message = `cannot open "${file}": the folder "${folder}" does not exist; create it first`
    throw Object.assign(new TypeError(message, { cause }), { code: 'SQLITE_CANTOPEN' })
  }
}

/** Returns bytes that no other thread can write while the addon reads them. */
function imageBytes(image: Uint8Array): Uint8Array {
  try {
    // The buffer of an empty array may be detached or shrunk; its methods then throw.
    if (image.byteLength === 0) image.values()
  } catch {
    throw argumentValue(
      'the image is a buffer that was transferred or shrunk, or a view of such a buffer: pass a buffer that still ' +
        'holds its bytes',
    )
  }
  return types.isSharedArrayBuffer(image.buffer) ? new Uint8Array(image) : image
}
