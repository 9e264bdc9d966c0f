import type { NativeOpenOptions } from '../load/native'
import { boolean, callback, integer, optionsObject, pathArgument } from './arguments'
import { argumentType } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest } from './key'

/** Options for opening a database. */
export interface Options extends KeyOptions {
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

const NAMES: readonly string[] = [...KEY_NAMES, 'readonly', 'fileMustExist', 'timeout', 'verbose']

/** Checks the arguments of the constructor, and fills in the defaults. */
export function openRequest(path: unknown, options: unknown): OpenRequest {
  const name = pathArgument(path ?? '', 'the path of the database')
  const given = optionsObject(options, NAMES)
  const memory = name === '' || name === ':memory:'
  const readonly = boolean(given, 'readonly')
  if (memory && readonly) throw argumentType('In-memory/temporary databases cannot be readonly')
  const verbose = callback<(sql: string) => unknown>(given, 'verbose')
  const native: NativeOpenOptions = {
    readonly,
    mustExist: boolean(given, 'fileMustExist'),
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
    log: verbose !== undefined,
  }
  if (!memory) native.path = name
  const key = keyRequest(given, 'leave it out to open a database without encryption')
  if (key !== undefined) native.key = key
  return { name, memory, readonly, verbose, native }
}
