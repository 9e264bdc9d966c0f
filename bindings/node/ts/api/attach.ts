import type { NativeAttachOptions } from '../load/native'
import { boolean, optionsObject, pathArgument, wellFormed } from './arguments'
import { argumentType } from './errors'
import { KEY_NAMES, needsFile, type OpenKeyOptions, openingKey, wipe } from './key'
import type { Session } from './session'

/**
 * Options of {@link Database.attach}: a key, `plain`, or neither to use the key and the cipher options of the main
 * database.
 */
export interface AttachOptions extends OpenKeyOptions {
  /** Attaches a database without encryption. Excludes `key`, `passphrase` and `recovery`. Default: false. */
  plain?: boolean
  /** Refuses every change to this database. Default: false, or true if the main database is read-only. */
  readonly?: boolean
  /** Refuses to create the file. Default: false; always true with `recovery` or `slot`. */
  fileMustExist?: boolean
}

const NAMES: readonly string[] = [...KEY_NAMES, 'plain', 'readonly', 'fileMustExist']

/** Checks the arguments of `attach`, and attaches the database. */
export function attach(session: Session, path: unknown, name: unknown, options: unknown): void {
  const file = pathArgument(path, 'the path of the database')
  const checkedName = nameArgument(name, 'second')
  const given = optionsObject(options, NAMES, 'third')
  const native: NativeAttachOptions = {
    plain: boolean(given, 'plain'),
    readonly: boolean(given, 'readonly'),
    mustExist: boolean(given, 'fileMustExist'),
  }
  const memory = file === '' || file === ':memory:'
  if (memory && native.readonly) throw argumentType('In-memory/temporary databases cannot be readonly')
  if (!memory) native.path = file
  const key = openingKey(given, 'leave it out to use the key of the main database, or pass "plain"')
  if (key !== undefined) native.key = key
  if (needsFile(key)) native.mustExist = true
  try {
    if (key !== undefined && native.plain)
      throw argumentType('"plain" excludes "key", "passphrase" and "recovery": pass one of them')
    session.idle()
    session.change(() => session.native.attach(checkedName, native))
  } finally {
    wipe(key)
  }
}

/** Checks the argument of `detach`, and detaches the database. */
export function detach(session: Session, name: unknown): void {
  const checkedName = nameArgument(name, 'first')
  session.idle()
  session.change(() => session.native.detach(checkedName))
}

function nameArgument(name: unknown, position: string): string {
  if (typeof name !== 'string')
    throw argumentType(`Expected ${position} argument to be a string (the name of a database)`)
  wellFormed(name, 'the name of the database')
  return name
}
