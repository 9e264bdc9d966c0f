import { types } from 'node:util'
import type { NativeKey } from '../load/native'
import { type Given, integer, oneOf, optionalBoolean, wellFormed } from './arguments'
import { argumentType, argumentValue, outOfRange } from './errors'

/**
 * The parameters of a file's encryption, if they differ from the defaults of SQLCipher 4. A file does not record its
 * parameters: opening the file requires the parameters that created it, except for `pageSize`.
 */
export interface CipherOptions {
  /** The major version of SQLCipher whose format and defaults apply: 1 to 4. Default: 4. */
  cipherCompatibility?: 1 | 2 | 3 | 4
  /** Iterations of the key derivation from a passphrase. Default: 256,000 (64,000 for version 3, 4,000 for 2 and 1). */
  kdfIter?: number
  /**
   * Bytes per page of a new file: a power of two from 1,024 to 65,536. Default: 4,096 (1,024 for versions 1 to 3). The
   * page size of an existing file is detected with its key.
   */
  pageSize?: number
  /** The hash function of the key derivation. Default: `sha512` (`sha1` for versions 1 to 3). */
  kdfAlgorithm?: 'sha1' | 'sha256' | 'sha512'
  /** The hash function of the HMAC that authenticates each page. Default: `sha512` (`sha1` for versions 2 and 3). */
  hmacAlgorithm?: 'sha1' | 'sha256' | 'sha512'
  /** Authenticates each page with an HMAC. Default: true, except for version 1. */
  useHmac?: boolean
  /** The byte order of the page number in the HMAC of each page. Default: `le`. */
  hmacPgno?: 'le' | 'be' | 'native'
  /** Iterations that derive the HMAC key from the key. Default: 2. */
  fastKdfIter?: number
  /** The byte that masks the salt of the HMAC key. Default: 0x3a; betas of SQLCipher 2.0 used 0. */
  hmacSaltMask?: number
  /** Bytes at the start of the file that are not encrypted, a multiple of 16. Requires `salt`. Default: 0. */
  plaintextHeaderSize?: number
  /** The salt, 16 bytes. Default: the first 16 bytes of the file. */
  salt?: Uint8Array
}

/** A key with its cipher parameters: `key` or `passphrase`. */
export interface KeyOptions extends CipherOptions {
  /**
   * The format of the file. `sqlcipher`: other tools can read the file. `strongroom`: encryption costs far less time; only
   * `pageSize` of the cipher options applies. Default for a new file: `sqlcipher`; a backup, an image or a conversion keeps
   * the format of an encrypted source. The format of an existing file is detected; another format than the file's
   * causes `STRONGROOM_OTHER_FORMAT`.
   */
  format?: 'sqlcipher' | 'strongroom'

  /** The raw key: 32 bytes, used without key derivation. Excludes `passphrase`. */
  key?: Uint8Array
  /**
   * A passphrase, from which PBKDF2 (SQLCipher's format) or Argon2id (the Strongroom format) derives the key. The
   * derivation is slow on purpose. Excludes `key`.
   */
  passphrase?: string | Uint8Array
}

/** The names of the options of a key. */
export const KEY_NAMES: readonly string[] = [
  'key',
  'passphrase',
  'format',
  'cipherCompatibility',
  'kdfIter',
  'pageSize',
  'kdfAlgorithm',
  'hmacAlgorithm',
  'useHmac',
  'hmacPgno',
  'fastKdfIter',
  'hmacSaltMask',
  'plaintextHeaderSize',
  'salt',
] satisfies (keyof KeyOptions)[]

const KEY_BYTES = 32
const SALT_BYTES = 16
const FORMATS = ['sqlcipher', 'strongroom'] as const
/** The options that apply to both formats. */
const SHARED = ['pageSize', 'format']
const HASHES = ['sha1', 'sha256', 'sha512'] as const

/**
 * Reads a key from an options object. Returns undefined if the object has neither `key` nor `passphrase`.
 *
 * The result holds a copy of the secret, which {@link wipe} overwrites.
 *
 * @param absent - the effect of leaving the key out, for the error about an undefined key
 */
export function keyRequest(given: Given, absent: string): NativeKey | undefined {
  const parameters = cipherRequest(given)
  const secret = secretRequest(given, absent)
  if (secret !== undefined) return { ...secret, ...parameters }
  const superfluous = Object.keys(parameters)[0]
  if (superfluous !== undefined)
    throw argumentType(`the "${superfluous}" option is for encrypted databases: pass "key" or "passphrase" as well`)
  return undefined
}

/** Reads a key from an options object. Throws if the object has no key. */
export function requiredKey(given: Given, what: string): NativeKey {
  const key = keyRequest(given, `${what} needs a key`)
  if (key === undefined) throw argumentType(`${what} needs "key" or "passphrase"`)
  return key
}

/** Overwrites the copy of the secret with zeros. */
export function wipe(key: NativeKey | undefined): void {
  key?.key?.fill(0)
  key?.passphrase?.fill(0)
}

/** Reads the secret. Throws for an undefined secret, which must not open an unencrypted database. */
function secretRequest(given: Given, absent: string): NativeKey | undefined {
  for (const name of ['key', 'passphrase']) {
    if (name in given && (given[name] === undefined || given[name] === null))
      throw argumentType(`the "${name}" option is ${given[name]} (is a variable not set?): ${absent}`)
  }
  const { key, passphrase } = given
  if (key !== undefined && passphrase !== undefined)
    throw argumentType('"key" and "passphrase" cannot be combined: pass one of them')
  if (key !== undefined) {
    if (!types.isUint8Array(key))
      throw argumentType('Expected the "key" option to be a Buffer; for text use "passphrase", for hex Buffer.from')
    if (key.length !== KEY_BYTES) throw outOfRange(`the "key" option must be ${KEY_BYTES} bytes, not ${key.length}`)
    return { key: copy(key) }
  }
  if (passphrase === undefined) return undefined
  if (typeof passphrase !== 'string' && !types.isUint8Array(passphrase))
    throw argumentType('Expected the "passphrase" option to be a string or a Buffer')
  if (passphrase.length === 0) throw outOfRange('the "passphrase" option must not be empty')
  if (typeof passphrase !== 'string') return { passphrase: copy(passphrase) }
  wellFormed(passphrase, 'the "passphrase" option')
  const bytes = outsideTheHeap(Buffer.byteLength(passphrase))
  new TextEncoder().encodeInto(passphrase, bytes)
  return { passphrase: bytes }
}

function cipherRequest(given: Given): NativeKey {
  const iterations = { min: 1, max: 0x7fff_ffff }
  const pageSize = integer(given, 'pageSize', { min: 1024, max: 65_536 })
  if (pageSize !== undefined && !Number.isInteger(Math.log2(pageSize)))
    throw outOfRange(`the "pageSize" option must be a power of two, not ${pageSize}`)
  const salt = given['salt'] ?? undefined
  if (salt !== undefined && !types.isUint8Array(salt)) throw argumentType('Expected the "salt" option to be a Buffer')
  if (salt !== undefined && salt.length !== SALT_BYTES)
    throw outOfRange(`the "salt" option must be ${SALT_BYTES} bytes, not ${salt.length}`)
  const parameters: { [name in keyof NativeKey]: NativeKey[name] | undefined } = {
    cipherCompatibility: integer(given, 'cipherCompatibility', { min: 1, max: 4 }),
    kdfIter: integer(given, 'kdfIter', iterations),
    pageSize,
    kdfAlgorithm: oneOf(given, 'kdfAlgorithm', HASHES),
    hmacAlgorithm: oneOf(given, 'hmacAlgorithm', HASHES),
    useHmac: optionalBoolean(given, 'useHmac'),
    hmacPgno: oneOf(given, 'hmacPgno', ['le', 'be', 'native']),
    fastKdfIter: integer(given, 'fastKdfIter', iterations),
    hmacSaltMask: integer(given, 'hmacSaltMask', { min: 0, max: 255 }),
    plaintextHeaderSize: integer(given, 'plaintextHeaderSize', { min: 0, max: 65_536 }),
    salt,
    format: oneOf(given, 'format', FORMATS),
  }
  const set = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const [other] = set.find(([name]) => !SHARED.includes(name)) ?? []
  if (parameters.format === 'strongroom' && other !== undefined)
    throw argumentValue(
      `the "${other}" option belongs to SQLCipher's format, and "format" is "strongroom": leave one of them out`,
    )
  return Object.fromEntries(set) as NativeKey
}

function copy(bytes: Uint8Array): Uint8Array {
  const own = outsideTheHeap(bytes.length)
  own.set(bytes)
  return own
}

/**
 * Allocates bytes outside V8's heap. V8 stores the bytes of a small typed array inside its heap, and leaves a copy of
 * the bytes there when an addon requests their address or when the garbage collector moves the array.
 */
function outsideTheHeap(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length))
}
