// The package, for the tests that hold in every format. STRONGROOM_TEST_FORMAT names the format: `plain`, `sqlcipher` or
// `strongroom`. Each file that such a test creates, and each database in memory, then has this format. Tests of one format
// import the package itself.
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import Original, { SqliteError } from 'strongroom'

export { SqliteError }

const FORMATS = ['plain', 'sqlcipher', 'strongroom']

/** The format of this run. */
export const FORMAT = process.env.STRONGROOM_TEST_FORMAT ?? 'plain'
if (!FORMATS.includes(FORMAT)) throw new Error(`STRONGROOM_TEST_FORMAT is ${FORMAT}, and not one of ${FORMATS}`)

/** The options that open a database of this run. */
export const OWN = FORMAT === 'plain' ? {} : { key: Buffer.alloc(32, 0x5a), format: FORMAT }

/** The options that the Strongroom format shares with SQLCipher's. */
const SHARED = ['key', 'passphrase', 'pageSize', 'readonly', 'fileMustExist', 'timeout', 'verbose', 'nativeBinding']

/**
 * Adds this run's key or its format to the arguments of the constructor, unless they are invalid. An existing file keeps
 * its format, and an existing plain file opens without a key.
 */
function keyed([path, options, ...rest]) {
  const isImage = typeof path === 'object' && path !== null
  const isObject = Object.getPrototypeOf(Object(options ?? {})) === Object.prototype
  if (isImage || !isObject || typeof (options ?? {}) !== 'object') return [path, options, ...rest]
  const start = startOf(path)
  const names = Object.keys(options ?? {})
  if (!names.includes('key') && !names.includes('passphrase')) {
    if (start.startsWith('SQLite format 3')) return [path, options, ...rest]
    return [path, { ...options, ...(start === '' ? OWN : { key: OWN.key }) }, ...rest]
  }
  const isFree = start === '' && names.every((name) => SHARED.includes(name))
  return [path, isFree ? { ...options, format: FORMAT } : options, ...rest]
}

/** Returns the first bytes of a file, or an empty string for a file that does not exist. */
function startOf(path) {
  try {
    return readFileSync(path, 'latin1').slice(0, 16)
  } catch {
    return ''
  }
}

/** The class `Database`, whose constructor creates databases of this run's format. */
const Database =
  FORMAT === 'plain'
    ? Original
    : new Proxy(Original, {
        apply: (target, _, args) => new target(...keyed(args)),
        construct: (target, args, subclass) =>
          Reflect.construct(target, keyed(args), subclass === Database ? target : subclass),
      })
export default Database

/**
 * Registers a test that does not hold in every format.
 *
 * @param {string[]} formats - the formats in which the test holds
 * @param {string} why - the reason
 * @param {Parameters<typeof test>} args - the arguments of `test`
 */
export function testIn(formats, why, ...args) {
  if (!why || formats.length === 0 || !formats.every((format) => FORMATS.includes(format)))
    throw new Error(`name the formats and the reason: ${formats}: ${why}`)
  if (formats.includes(FORMAT)) test(...args)
}
