import { addon } from '../load/loader'
import { fromNative } from './errors'

/** The versions of Strongroom and of the libraries in it. */
export interface Versions {
  /** The version of this package: `0.1.0`. */
  readonly strongroom: string
  /** The version of SQLite: `3.54.1`. */
  readonly sqlite: string
  /** The version of SQLCipher: `4.20.0 community`. */
  readonly sqlcipher: string
  /** The version of OpenSSL: `3.5.5`. */
  readonly openssl: string
  /** The version of zstd: `1.5.7`. */
  readonly zstd: string
}

let known: Versions | undefined

/** Returns the versions that the libraries report. */
export function versions(): Versions {
  try {
    known ??= Object.freeze({ strongroom: addon().version(), ...addon().libraryVersions() })
    return known
  } catch (error) {
    throw fromNative(error)
  }
}
