import { type KeyOptions, keyRequest, wipe } from '../api/key'
import type { Arguments } from './arguments'
import type { Option } from './command'

/** An option of the command line for a cipher option of the library. */
interface CipherOption extends Option {
  /** The name in the library. */
  option: keyof KeyOptions
  kind: 'integer' | 'text' | 'bytes' | 'off'
}

const CIPHER: readonly CipherOption[] = [
  {
    name: 'cipher-compatibility',
    option: 'cipherCompatibility',
    kind: 'integer',
    value: 'N',
    help: 'the major version of SQLCipher: 1 to 4',
  },
  { name: 'page-size', option: 'pageSize', kind: 'integer', value: 'BYTES', help: 'bytes per page' },
  { name: 'kdf-iter', option: 'kdfIter', kind: 'integer', value: 'N', help: 'iterations of the key derivation' },
  {
    name: 'kdf-algorithm',
    option: 'kdfAlgorithm',
    kind: 'text',
    value: 'HASH',
    help: 'hash function of the key derivation: sha1, sha256 or sha512',
  },
  {
    name: 'hmac-algorithm',
    option: 'hmacAlgorithm',
    kind: 'text',
    value: 'HASH',
    help: "hash function of the pages' HMAC: sha1, sha256 or sha512",
  },
  { name: 'no-hmac', option: 'useHmac', kind: 'off', help: 'no HMAC authenticates the pages' },
  {
    name: 'hmac-pgno',
    option: 'hmacPgno',
    kind: 'text',
    value: 'ORDER',
    help: 'byte order in the HMAC: le, be, native',
  },
  { name: 'fast-kdf-iter', option: 'fastKdfIter', kind: 'integer', value: 'N', help: 'iterations of the HMAC key' },
  { name: 'hmac-salt-mask', option: 'hmacSaltMask', kind: 'integer', value: 'BYTE', help: 'mask of the HMAC salt' },
  {
    name: 'plaintext-header-size',
    option: 'plaintextHeaderSize',
    kind: 'integer',
    value: 'BYTES',
    help: 'bytes at the start that are not encrypted; needs the salt',
  },
  { name: 'salt', option: 'salt', kind: 'bytes', value: 'HEX', help: 'the salt: 32 hexadecimal digits' },
]

/** `new-` marks an option for the file that a command writes. */
export type Side = '' | 'new-'

/** Returns the cipher options of one side, for the help. */
export function cipherOptions(side: Side): Option[] {
  return CIPHER.map(({ name, value, help }) => ({
    name: `${side}${name}`,
    help,
    ...(value === undefined ? {} : { value }),
  }))
}

/** Reads the cipher options of one side and the format, and checks them as the library does. */
export function cipherParameters(given: Arguments, side: Side, format?: string): KeyOptions {
  const parameters: Record<string, unknown> = {}
  for (const { name, option, kind } of CIPHER) {
    const flag = `${side}${name}`
    if (!given.has(flag)) continue
    if (kind === 'integer') parameters[option] = given.integer(flag)
    else if (kind === 'text') parameters[option] = given.value(flag)
    else if (kind === 'off') parameters[option] = false
    else parameters[option] = bytes(given, flag)
  }
  if (format !== undefined) parameters['format'] = format
  try {
    // The library checks the options only beside a key.
    wipe(keyRequest({ key: new Uint8Array(32), ...parameters }, 'pass a key'))
  } catch (error) {
    throw given.usage(flags((error as Error).message, side))
  }
  return parameters
}

/** Replaces the names of the library's options in a message by those of the command line. */
export function flags(message: string, side: Side): string {
  return message.replaceAll(/(?:the )?"(\w+)"(?: option)?/g, (whole, name) => {
    if (name === 'format') return '--format'
    const option = CIPHER.find(({ option }) => option === name)
    return option === undefined ? whole : `--${side}${option.name}`
  })
}

function bytes(given: Arguments, flag: string): Uint8Array {
  const text = given.value(flag) ?? ''
  if (!/^([0-9a-f]{2})+$/i.test(text)) throw given.usage(`--${flag} needs hexadecimal digits, not "${text}"`)
  return new Uint8Array(Buffer.from(text, 'hex'))
}
