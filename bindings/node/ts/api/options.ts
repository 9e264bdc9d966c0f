import { types } from 'node:util'
import type { NativeOpenOptions } from '../load/native'
import { boolean, callback, integer, optionsObject, pathArgument } from './arguments'
import { argumentType, argumentValue } from './errors'
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
  const image = types.isUint8Array(path) ? imageBytes(path) : undefined
  const name = image ? ':memory:' : pathArgument(path ?? '', 'the path of the database')
  const given = optionsObject(options, NAMES)
  const memory = name === '' || name === ':memory:'
  const readonly = boolean(given, 'readonly')
  if (memory && readonly && image === undefined) throw argumentType('In-memory/temporary databases cannot be readonly')
  const verbose = callback<(sql: string) => unknown>(given, 'verbose')
  const native: NativeOpenOptions = {
    readonly,
    mustExist: boolean(given, 'fileMustExist'),
    timeout: integer(given, 'timeout', { min: 0, max: 0x7fff_ffff }) ?? 5000,
    log: verbose !== undefined,
  }
  if (image !== undefined) native.image = image
  else if (!memory) native.path = name
  const key = keyRequest(given, 'leave it out to open a database without encryption')
  if (key !== undefined) native.key = key
  return { name, memory, readonly, verbose, native }
}

/** Returns bytes that no other thread writes while the addon reads them. */
function imageBytes(image: Uint8Array): Uint8Array {
  try {
    // The memory of an empty array may be gone, in which case its methods throw.
    if (image.byteLength === 0) image.values()
  } catch {
    throw argumentValue('the image is a buffer that was transferred or shrunk, or a view on such a buffer')
  }
  return types.isSharedArrayBuffer(image.buffer) ? new Uint8Array(image) : image
}
