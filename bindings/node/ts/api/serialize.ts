import { attached, type Given, optionalBoolean, optionsObject } from './arguments'
import { argumentType, fromNative } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest, wipe } from './key'
import type { Session } from './session'

/** Options of {@link Database.serialize}. */
export interface SerializeOptions extends KeyOptions {
  /** The database to serialize: `main` or the name of an attached database. Default: `main`. */
  attached?: string
  /**
   * Encrypts the image with the given `key` or `passphrase`, or else with the database's own key. Default: true if
   * `key` or `passphrase` is given, false otherwise.
   */
  encrypted?: boolean
}

const NAMES: readonly string[] = [...KEY_NAMES, 'attached', 'encrypted']

/** Returns the bytes of a database file. */
export function serialize(session: Session, options: unknown): Buffer {
  const given: Given = optionsObject(options, NAMES, 'first')
  const schema = attached(given)
  const encrypted = optionalBoolean(given, 'encrypted')
  const key = keyRequest(given, 'leave it out for a plain image, or use encrypted: true for the key of the database')
  try {
    if (key !== undefined && encrypted === false)
      throw argumentType('"encrypted: false" excludes "key" and "passphrase": an image is plain or has a key')
    session.idle()
    if (encrypted ?? key !== undefined) return session.native.serializeEncrypted(schema, key)
    return session.native.serialize(schema)
  } catch (error) {
    throw fromNative(error)
  } finally {
    wipe(key)
  }
}
