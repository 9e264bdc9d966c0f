import Database = require('../index')

import { SqliteError } from '../api/errors'
import type { Arguments } from './arguments'
import { cipherParameters } from './cipher'
import { isHeaderOnly, kindOf, slotIds } from './database-file'
import { EXIT } from './exit'
import { interruptible } from './interrupt'
import { currentKey, expectPages, newKey, reading, timeout, withSecrets } from './open'
import { counted, grouped, type Output } from './output'
import { Progress } from './progress'
import type { Secret } from './secrets'
import { described } from './slot-table'

const PLAIN = { plain: true } as const

/** Encrypts a plain file. */
export function encrypt(given: Arguments, output: Output): Promise<number> {
  return withSecrets(given, async (secrets) => {
    const file = given.positional('FILE')
    const parameters = cipherParameters(given, 'new-', given.value('format'))
    const kind = kindOf(file)
    if (kind === 'strongroom' || kind === 'unknown')
      throw new SqliteError(`"${file}" is encrypted, or is not a database`, 'STRONGROOM_ENCRYPTED')
    const to = newKey(await secrets.fresh(file), parameters, given)
    secrets.asked()
    return converted(given, output, { from: PLAIN, to, verb: 'Encrypting' })
  })
}

/** Decrypts a file. */
export function decrypt(given: Arguments, output: Output): Promise<number> {
  return withSecrets(given, async (secrets) => {
    const from = await encrypted(given, () => currentKey(given, secrets, given.positional('FILE')))
    secrets.asked()
    return converted(given, output, { from, to: PLAIN, verb: 'Decrypting' })
  })
}

/** Converts an encrypted file to another format, key or version of SQLCipher. */
export function migrate(given: Arguments, output: Output): Promise<number> {
  return withSecrets(given, async (secrets) => {
    const file = given.positional('FILE')
    const parameters = cipherParameters(given, 'new-', given.value('format'))
    const old = Object.keys(cipherParameters(given, '')).length > 0
    if (!old && Object.keys(parameters).length === 0 && !secrets.has('new-'))
      throw given.usage(
        'nothing to convert: give --format, a new key, or --cipher-compatibility of a file from an older SQLCipher',
      )
    const from = await encrypted(given, () => currentKey(given, secrets, file))
    const dropped = await otherSlots(given, from)
    if (dropped.length > 0 && !given.has('drop-others')) throw dropsSlots(file, dropped)
    const to = newKey(secrets.has('new-') ? await secrets.fresh(file) : (from as Secret), parameters, given)
    secrets.asked()
    return converted(given, output, { from, to, verb: 'Converting', dropped })
  })
}

/** Returns the key slots that a conversion drops: a converted file has one slot at most. */
async function otherSlots(given: Arguments, from: Database.OpenKeyOptions): Promise<Database.KeySlot[]> {
  const file = given.positional('FILE')
  // The header has the ids in plain text. Opening the file costs a derivation.
  if (kindOf(file) !== 'strongroom' || slotIds(file).length < 2) return []
  const slots = await reading(file, { ...from, timeout: timeout(given) }, (db) => db.keys.list())
  return slots.filter(({ current }) => !current)
}

function dropsSlots(file: string, slots: readonly Database.KeySlot[]): SqliteError {
  const names = slots.map(described).join(', ')
  const message = `a conversion of "${file}" drops ${counted(slots.length, 'key slot')}: ${names}`
  return new SqliteError(message, 'STRONGROOM_OTHER_SLOTS')
}

/** Returns the key of a file that must be encrypted. */
async function encrypted(
  given: Arguments,
  key: () => Promise<Database.OpenKeyOptions | undefined>,
): Promise<Database.OpenKeyOptions> {
  const found = await key()
  const file = given.positional('FILE')
  if (found !== undefined) {
    if (isHeaderOnly(file)) await reading(file, { ...found, timeout: timeout(given) }, (db) => expectPages(db, file))
    return found
  }
  throw new SqliteError(`"${file}" is not encrypted`, 'STRONGROOM_NOT_ENCRYPTED')
}

interface Conversion {
  from: Database.MigrateKeys['from']
  to: Database.MigrateKey
  verb: string
  /** The key slots that the converted file lacks. */
  dropped?: readonly Database.KeySlot[]
}

async function converted(given: Arguments, output: Output, conversion: Conversion): Promise<number> {
  const { from, to, verb, dropped } = conversion
  const file = given.positional('FILE')
  const keep = given.value('keep')
  const progress = new Progress(output, `${verb} ${file}`)
  const result = await interruptible(`cancelled; "${file}" is unchanged`, async (signal) => {
    try {
      return await Database.migrate(file, {
        from,
        to,
        signal,
        timeout: timeout(given),
        progress: ({ done, total }) => progress.update(done, total),
        ...(keep === undefined ? {} : { keep }),
      })
    } finally {
      progress.end()
    }
  })
  const { tables, rows, pages, pageSize } = result
  const format = formatOf(file, to)
  const size = `${counted(tables, 'table')}, ${counted(rows, 'row')}, ${counted(pages, 'page')} of ${grouped(pageSize)} bytes`
  const kept = keep === undefined ? '' : ` The original is "${keep}".`
  const slots = dropped?.length ? ` Dropped ${dropped.map(described).join(', ')}.` : ''
  const lists = { ...(dropped && { dropped }), ...(keep === undefined ? {} : { keep }) }
  const object = { file, format, tables, rows, pages, pageSize, ...lists }
  await output.success(object, `${file} ${FORMATS[format]}: ${size}.${slots}${kept}`)
  return EXIT.done
}

type Format = 'plain' | 'sqlcipher' | 'strongroom'

const FORMATS: Record<Format, string> = {
  plain: 'is not encrypted any more',
  sqlcipher: "is encrypted in SQLCipher's format",
  strongroom: 'is encrypted in the Strongroom format',
}

function formatOf(file: string, to: Database.MigrateKey): Format {
  if ('plain' in to) return 'plain'
  return kindOf(file) === 'strongroom' ? 'strongroom' : 'sqlcipher'
}
