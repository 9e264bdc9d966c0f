import { types } from 'node:util'
import type { NativeKey } from '../load/native'
import { type Given, integer, oneOf, optionalBoolean, wellFormed } from './arguments'
import { outsideTheHeap } from './bytes'
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

/** A secret that opens an existing file: `key`, `passphrase` or `recovery`. */
export interface OpenKeyOptions extends KeyOptions {
  /**
   * A recovery code of the file, as `db.keys.add({ recovery: true })` returned the code. Upper and lower case, spaces
   * and hyphens make no difference. Only an existing file in the Strongroom format has recovery codes. Excludes `key`
   * and `passphrase`.
   */
  recovery?: string | Uint8Array
  /**
   * The id of a key slot, as `db.keys.list()` returns the id. The secret is tried on this slot alone, so a wrong
   * passphrase costs one derivation instead of one for each slot with a passphrase. Only a file in the Strongroom
   * format has key slots.
   */
  slot?: string
}

/** The names of the options of a key, including those that only open a file. */
export const KEY_NAMES: readonly string[] = [
  'key',
  'passphrase',
  'recovery',
  'slot',
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
] satisfies (keyof OpenKeyOptions)[]

const KEY_BYTES = 32
const SALT_BYTES = 16
const SLOT_ID = /^[0-9a-f]{16}$/i
/** The options that hold a secret. */
const SECRETS = ['key', 'passphrase', 'recovery'] as const
type Secret = (typeof SECRETS)[number]
const FORMATS = ['sqlcipher', 'strongroom'] as const
/** The options that apply to both formats. */
const SHARED = ['pageSize', 'format']
const HASHES = ['sha1', 'sha256', 'sha512'] as const

/** The reasons to refuse an option where a key encrypts a file. */
const OPENING: Readonly<Record<string, string>> = {
  recovery:
    'a recovery code opens a file and cannot encrypt one: pass "key" or "passphrase", and then add a recovery code ' +
    'with db.keys.add({ recovery: true })',
  slot: 'the "slot" option chooses the key slot that opens a file: leave the option out for a new key',
}

/** The options that {@link keyRequest} refuses. */
export const OPENING_NAMES: readonly string[] = Object.keys(OPENING)

/**
 * Reads the key that a file gets. Returns undefined if the object has neither `key` nor `passphrase`.
 *
 * The result holds a copy of the secret, which {@link wipe} overwrites.
 *
 * @param absent - the effect of leaving the key out, for the error about an undefined key
 */
export function keyRequest(given: Given, absent: string): NativeKey | undefined {
  for (const [name, reason] of Object.entries(OPENING))
    if ((given[name] ?? undefined) !== undefined) throw argumentValue(reason)
  return openingKey(given, absent)
}

/** Reads the key that a file gets. Throws if the object has no key. */
export function requiredKey(given: Given, what: string): NativeKey {
  const key = keyRequest(given, `${what} needs a key`)
  if (key === undefined) throw argumentType(`${what} needs "key" or "passphrase"`)
  return key
}

/**
 * Reads the secret that opens a file, as {@link keyRequest} reads a key. The secret may be a recovery code, and may name
 * its slot. Returns undefined if the object has no secret.
 */
export function openingKey(given: Given, absent: string): NativeKey | undefined {
  const parameters = cipherRequest(given)
  const slot = slotRequest(given)
  const secret = secretName(given, absent)
  if (secret === undefined) {
    if (slot !== undefined)
      throw argumentType('the "slot" option is for a file with a key: pass "key", "passphrase" or "recovery" as well')
    const superfluous = Object.keys(parameters)[0]
    if (superfluous !== undefined)
      throw argumentType(`the "${superfluous}" option is for encrypted databases: pass "key" or "passphrase" as well`)
    return undefined
  }
  const onlyStrongroom = secret === 'recovery' ? secret : slot && 'slot'
  if (onlyStrongroom !== undefined) refuseSqlCipher(parameters, onlyStrongroom)
  if (slot !== undefined) parameters.slot = slot
  return { [secret]: secretBytes(secret, given[secret]), ...parameters }
}

/**
 * Reads the secret of a key slot, as {@link keyRequest} reads a key. Returns `generate` for a new recovery code, which
 * {@link recoveryKey} then holds.
 */
export function slotSecret(given: Given, absent: string): NativeKey | 'generate' | undefined {
  const name = secretName(given, absent)
  if (name !== 'recovery') return name && { [name]: secretBytes(name, given[name]) }
  const { recovery } = given
  if (recovery === true) return 'generate'
  if (typeof recovery !== 'string' && !types.isUint8Array(recovery))
    throw argumentType('Expected the "recovery" option to be true, or a recovery code as a string or a Buffer')
  return { recovery: secretBytes(name, recovery) }
}

/** Returns a recovery code as a key, which {@link wipe} overwrites. */
export function recoveryKey(code: string): NativeKey {
  return { recovery: secretBytes('recovery', code) }
}

/** Returns whether only an existing file opens with the secret: a new file has neither recovery codes nor key slots. */
export function needsFile(key: NativeKey | undefined): boolean {
  return key?.recovery !== undefined || key?.slot !== undefined
}

/** Overwrites the copy of the secret with zeros. */
export function wipe(key: NativeKey | undefined): void {
  for (const name of SECRETS) key?.[name]?.fill(0)
}

/** Returns the id of a key slot. Throws for a value that cannot be an id. */
export function slotId(id: unknown, what: string): string {
  if (typeof id !== 'string') throw argumentType(`Expected ${what} to be a string (the id of a key slot)`)
  if (!SLOT_ID.test(id))
    throw argumentValue(
      `${what} must be the id of a key slot, 16 hexadecimal digits as db.keys.list() returns them, not ${shown(id)}`,
    )
  return id.toLowerCase()
}

/** Returns the start of a text in quotes: the text may be a secret that was passed in the wrong place. */
function shown(text: string): string {
  return text.length > 4 ? `a text of ${text.length} characters` : JSON.stringify(text)
}

function slotRequest(given: Given): string | undefined {
  const slot = given['slot'] ?? undefined
  return slot === undefined ? undefined : slotId(slot, 'the "slot" option')
}

/** Throws if an option says that the file has SQLCipher's format, which has neither recovery codes nor key slots. */
function refuseSqlCipher(parameters: NativeKey, name: string): void {
  const other = Object.keys(parameters).find((option) => !SHARED.includes(option))
  const option = parameters.format === 'sqlcipher' ? '"format" is "sqlcipher"' : other && `"${other}" is given`
  if (option === undefined) return
  throw argumentValue(
    `the "${name}" option is for files in the Strongroom format, and ${option}, which SQLCipher's format has: ` +
      'leave one of them out',
  )
}

/** Returns the name of the option that holds the secret. Throws for an undefined secret, and for two secrets. */
function secretName(given: Given, absent: string): Secret | undefined {
  for (const name of SECRETS) {
    if (name in given && (given[name] === undefined || given[name] === null))
      throw argumentType(`the "${name}" option is ${given[name]} (is a variable not set?): ${absent}`)
  }
  const [first, second] = SECRETS.filter((name) => given[name] !== undefined)
  if (first !== undefined && second !== undefined)
    throw argumentType(`"${first}" and "${second}" cannot be combined: pass one of them`)
  return first
}

/** Checks a secret, and returns a copy of its bytes. */
function secretBytes(name: Secret, secret: unknown): Uint8Array {
  if (name === 'key') {
    if (!types.isUint8Array(secret))
      throw argumentType('Expected the "key" option to be a Buffer; for text use "passphrase", for hex Buffer.from')
    if (secret.length !== KEY_BYTES)
      throw outOfRange(`the "key" option must be ${KEY_BYTES} bytes, not ${secret.length}`)
    return copy(secret)
  }
  if (typeof secret !== 'string' && !types.isUint8Array(secret))
    throw argumentType(`Expected the "${name}" option to be a string or a Buffer`)
  if (secret.length === 0) throw outOfRange(`the "${name}" option must not be empty`)
  if (typeof secret !== 'string') return copy(secret)
  wellFormed(secret, `the "${name}" option`)
  const bytes = outsideTheHeap(Buffer.byteLength(secret))
  new TextEncoder().encodeInto(secret, bytes)
  return bytes
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
