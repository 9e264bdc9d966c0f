import { types } from 'node:util'
import type { NativeOpenOptions } from '../load/native'
import { argumentType, argumentValue, outOfRange } from './errors'

/** Options for opening a database. */
export interface Options {
  /**
   * The raw key: 32 bytes, used as they are. The constructor throws a `SqliteError` with the code
   * `STRONGROOM_WRONG_KEY` for a wrong key. Excludes `passphrase`.
   */
  key?: Uint8Array
  /** A passphrase, from which SQLCipher derives the key, slowly on purpose. Excludes `key`. */
  passphrase?: string | Uint8Array
  /** Iterations of the derivation from a passphrase. Default: 256,000. Opening a file requires the same number. */
  kdfIter?: number
  /** Bytes per page of an encrypted file: a power of two from 1,024 to 65,536. Default: 4,096. */
  pageSize?: number
  /** The major version of SQLCipher whose format the file has: 1 to 4. Default: 4. */
  cipherCompatibility?: 1 | 2 | 3 | 4
  /** Refuses every change. Default: false. */
  readonly?: boolean
  /** Refuses to create the file. Default: false. */
  fileMustExist?: boolean
  /** How long to wait for another connection's lock before `SQLITE_BUSY`, in milliseconds. Default: 5,000. */
  timeout?: number
  /**
   * A function that gets the SQL of every statement after it ran, with the bound values and without keys, such as
   * `console.log`. An error of the function is thrown by the call. The function cannot use the database.
   */
  verbose?: ((sql: string) => unknown) | null
}

/** The checked arguments of the constructor. */
export interface OpenRequest {
  name: string
  memory: boolean
  readonly: boolean
  verbose: ((sql: string) => unknown) | undefined
  native: NativeOpenOptions
}

const NAMES: readonly string[] = [
  'key',
  'passphrase',
  'kdfIter',
  'pageSize',
  'cipherCompatibility',
  'readonly',
  'fileMustExist',
  'timeout',
  'verbose',
] satisfies (keyof Options)[]

const KEY_BYTES = 32

/** Checks the arguments of the constructor, and fills in the defaults. */
export function openRequest(path: unknown, options: unknown): OpenRequest {
  const name = path ?? ''
  if (typeof name !== 'string') throw argumentType('Expected first argument to be a string, the path of the database')
  if (name.includes('\0')) throw argumentValue('the path of the database holds a NUL character')
  wellFormed(name, 'the path of the database')
  const given = optionsObject(options)
  const memory = name === '' || name === ':memory:'
  const readonly = boolean(given, 'readonly')
  if (memory && readonly) throw argumentType('In-memory/temporary databases cannot be readonly')
  const verbose = given['verbose'] ?? undefined
  if (verbose !== undefined && typeof verbose !== 'function')
    throw argumentType('Expected the "verbose" option to be a function')

  const native: NativeOpenOptions = {
    readonly,
    mustExist: boolean(given, 'fileMustExist'),
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
    log: verbose !== undefined,
  }
  if (!memory) native.path = name
  secret(given, native)
  cipher(given, native)
  return { name, memory, readonly, verbose: verbose as OpenRequest['verbose'], native }
}

/** Throws for a string with a lone surrogate. */
export function wellFormed(text: string, what: string): void {
  if (!text.isWellFormed()) throw argumentValue(`${what} holds a lone surrogate, which UTF-8 cannot store`)
}

function optionsObject(options: unknown): Record<string, unknown> {
  if (options === undefined || options === null) return {}
  if (typeof options !== 'object') throw argumentType('Expected second argument to be an options object')
  for (const name of Object.keys(options)) {
    if (NAMES.includes(name)) continue
    const meant = NAMES.find((known) => known.toLowerCase() === name.toLowerCase())
    throw argumentType(
      `the option "${name}" does not exist: ${meant ? `use "${meant}"` : `the options are ${NAMES.join(', ')}`}`,
    )
  }
  return options as Record<string, unknown>
}

function boolean(given: Record<string, unknown>, name: keyof Options): boolean {
  const value = given[name] ?? false
  if (typeof value !== 'boolean') throw argumentType(`Expected the "${name}" option to be a boolean`)
  return value
}

function integer(
  given: Record<string, unknown>,
  name: keyof Options,
  { min, max }: { min: number; max: number },
): number | undefined {
  const value = given[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw argumentType(`Expected the "${name}" option to be an integer`)
  if (value < min || value > max) throw outOfRange(`the "${name}" option must be from ${min} to ${max}, not ${value}`)
  return value
}

/** Reads `key` or `passphrase`. An undefined secret is an error: it must not open an unencrypted database. */
function secret(given: Record<string, unknown>, native: NativeOpenOptions): void {
  for (const name of ['key', 'passphrase']) {
    if (name in given && (given[name] === undefined || given[name] === null))
      throw argumentType(`the "${name}" option is ${given[name]}: leave it out to open a database without encryption`)
  }
  const { key, passphrase } = given
  if (key !== undefined && passphrase !== undefined)
    throw argumentType('"key" and "passphrase" exclude each other: give one of them')
  if (key !== undefined) {
    if (!types.isUint8Array(key))
      throw argumentType('Expected the "key" option to be a Buffer; for text use "passphrase", for hex Buffer.from')
    if (key.length !== KEY_BYTES) throw outOfRange(`the "key" option must be ${KEY_BYTES} bytes, not ${key.length}`)
    native.key = key
  }
  if (passphrase !== undefined) {
    if (typeof passphrase !== 'string' && !types.isUint8Array(passphrase))
      throw argumentType('Expected the "passphrase" option to be a string or a Buffer')
    if (passphrase.length === 0) throw outOfRange('the "passphrase" option is empty: its length is 0')
    if (typeof passphrase === 'string') wellFormed(passphrase, 'the "passphrase" option')
    native.passphrase = typeof passphrase === 'string' ? new TextEncoder().encode(passphrase) : passphrase
  }
}

function cipher(given: Record<string, unknown>, native: NativeOpenOptions): void {
  const kdfIter = integer(given, 'kdfIter', { min: 1, max: 0x7fff_ffff })
  const pageSize = integer(given, 'pageSize', { min: 1024, max: 65_536 })
  const compatibility = integer(given, 'cipherCompatibility', { min: 1, max: 4 })
  if (pageSize !== undefined && !Number.isInteger(Math.log2(pageSize)))
    throw outOfRange(`the "pageSize" option must be a power of two, not ${pageSize}`)
  const set = { kdfIter, pageSize, cipherCompatibility: compatibility }
  for (const [name, value] of Object.entries(set)) {
    if (value !== undefined && native.key === undefined && native.passphrase === undefined)
      throw argumentType(`the "${name}" option is for encrypted databases: give "key" or "passphrase" as well`)
  }
  if (kdfIter !== undefined) native.kdfIter = kdfIter
  if (pageSize !== undefined) native.pageSize = pageSize
  if (compatibility !== undefined) native.cipherCompatibility = compatibility
}
