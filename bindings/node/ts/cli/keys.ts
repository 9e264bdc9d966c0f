import type Database = require('../index')

import { SqliteError } from '../api/errors'
import type { Arguments } from './arguments'
import { kindOf, slotIds } from './database-file'
import { EXIT } from './exit'
import { interruptible } from './interrupt'
import { connected, currentKey, reading, timeout, withSecrets } from './open'
import { counted, type Output, printable } from './output'
import { Progress } from './progress'
import type { Secrets } from './secrets'
import { slotId } from './slot-id'
import { table } from './table'

/** Prints the key slots of a file. */
export function list(given: Arguments, output: Output): Promise<number> {
  return opened(given, reading, (db) => {
    const slots = db.keys.list()
    output.result({ file: given.positional('FILE'), slots }, slotTable(slots))
  })
}

/** Adds a key slot. */
export function add(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  return opened(given, connected, async (db, secrets) => {
    const slot = db.keys.add({ ...(await newSecret(given, secrets)), ...label(given) })
    secrets.asked()
    const object: { file: string; code?: string } = { file, ...slot }
    written(output, object, `${file} has a new key slot: ${described(slot)}.`)
  })
}

/** Removes a key slot. */
export function remove(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  return opened(given, connected, (db, _, id) => {
    // After the removal of its own slot, the connection cannot list the slots.
    const left = counted(db.keys.list().length - 1, 'key slot')
    const removed = db.keys.remove(id)
    output.success({ file, removed }, `Removed a key slot of ${file}: ${described(removed)}. The file has ${left}.`)
    output.note(ROTATE)
  })
}

/** Changes the secret or the label of a key slot. */
export function change(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  if (given.has('label') && given.has('no-label')) throw given.usage('--no-label excludes --label')
  return opened(given, connected, async (db, secrets, id) => {
    const relabels = given.has('label') || given.has('no-label')
    const secret = relabels && !secrets.has('new-') ? {} : await newSecret(given, secrets)
    secrets.asked()
    const to = { ...secret, ...(given.has('no-label') ? { label: null } : label(given)) }
    const slot = db.keys.change(id, to as Parameters<Database.KeySlots['change']>[1])
    const object: { file: string; code?: string } = { file, ...slot }
    written(output, object, `Changed a key slot of ${file}: ${described(slot)}.`)
    if (Object.keys(secret).length > 0) output.note(ROTATE)
  })
}

/** Gives a file a new data key. */
export function rotate(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  const keep = given.value('keep')
  const progress = new Progress(output, `Rotating ${file}`)
  return opened(given, connected, async (db, secrets) => {
    const others = await secrets.others(file)
    secrets.asked()
    const { dropped } = await interruptible(`cancelled; "${file}" is unchanged`, async (signal) => {
      try {
        return await db.keys.rotate({
          secrets: others as Database.RotateSecret[],
          dropOthers: given.has('drop-others'),
          progress: ({ done, total }) => progress.update(done, total),
          signal,
          timeout: timeout(given),
          ...(keep === undefined ? {} : { keep }),
        })
      } finally {
        progress.end()
      }
    })
    const slots = dropped.length === 0 ? '' : ` Dropped ${dropped.map(described).join(', ')}.`
    const kept = keep === undefined ? '' : ` The original is "${keep}".`
    const object = { file, dropped, ...(keep === undefined ? {} : { keep }) }
    output.success(object, `${file} has a new data key.${slots}${kept}`)
  })
}

const ROTATE =
  'Whoever had the old secret may have kept the data key or an older copy of the header. `strongroom keys FILE rotate` ' +
  'ends this.'
const CODE =
  'Write the code down now, and keep it apart from the file: nothing stores the code, so nobody can show it again.'

/** Opens a file that has key slots, and runs work with the connection and with the id of the slot that is named. */
async function opened(
  given: Arguments,
  open: typeof connected | typeof reading,
  work: (db: Database.Database, secrets: Secrets, id: string) => unknown,
): Promise<number> {
  const file = given.positional('FILE')
  return withSecrets(given, async (secrets) => {
    // The library would say the same, but only after a question for a passphrase.
    const kind = kindOf(file)
    if (kind !== 'strongroom') throw noSlots(file, kind === 'unknown')
    const id = given.command.positionals.includes('ID') ? slotId(given.positional('ID'), slotIds(file)) : ''
    const key = await currentKey(given, secrets, file)
    await open(file, { ...key, timeout: timeout(given) }, (db) => work(db, secrets, id))
    return EXIT.done
  })
}

function noSlots(file: string, encrypted: boolean): SqliteError {
  const [reason, command] = encrypted
    ? ["is in SQLCipher's format, or is not a database", 'migrate']
    : ['is not encrypted', 'encrypt']
  const message =
    `"${file}" has no key slots, because it ${reason}: only files in the Strongroom format have key slots; convert the ` +
    `file with \`strongroom ${command} FILE --format strongroom\``
  return new SqliteError(message, 'STRONGROOM_NO_SLOTS')
}

/** Returns the secret that a slot gets. */
async function newSecret(given: Arguments, secrets: Secrets): Promise<Database.KeySlotSecret> {
  if (given.has('new-recovery')) return { recovery: true }
  return (await secrets.fresh(given.positional('FILE'))) as Database.KeySlotSecret
}

function label(given: Arguments): { label?: string } {
  const label = given.value('label')
  return label === undefined ? {} : { label }
}

/**
 * Prints a slot that was written. A recovery code is alone on standard output, and the text around it on standard
 * error: `> FILE` then writes only the code.
 */
function written(output: Output, object: { file: string; code?: string }, text: string): void {
  if (object.code === undefined) output.success(object, text)
  else {
    output.note(`${text} The recovery code:\n`)
    output.result(object, object.code)
    output.note(`\n${CODE}`)
  }
}

const KINDS: Record<Database.KeySlot['kind'], string> = {
  key: 'raw key',
  passphrase: 'passphrase',
  recovery: 'recovery code',
  unsupported: 'of a newer version',
}

function described({ id, kind, label }: Database.KeySlot): string {
  return `${id} (${KINDS[kind]}${label === null ? '' : `, "${printable(label)}"`})`
}

function slotTable(slots: readonly Database.KeySlot[]): string {
  const rows = slots.map(({ id, kind, created, current, label }) => [
    id,
    KINDS[kind],
    created.toISOString().slice(0, 16).replace('T', ' '),
    current ? 'yes' : '',
    label ?? '',
  ])
  return table(['ID', 'KIND', 'CREATED (UTC)', 'OPENED IT', 'LABEL'], rows)
}
