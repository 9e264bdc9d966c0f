import type Database = require('../index')

import { SqliteError } from '../api/errors'
import type { Arguments } from './arguments'
import { isHeaderOnly, kindOf, slotIds } from './database-file'
import { EXIT } from './exit'
import { interruptible } from './interrupt'
import { connected, currentKey, expectPages, reading, timeout, withSecrets } from './open'
import { counted, type Output } from './output'
import { Progress } from './progress'
import { addRecovery, changeToRecovery } from './recovery'
import type { Secrets } from './secrets'
import { slotId } from './slot-id'
import { described, slotTable } from './slot-table'
import { expectReader } from './stdout'

/** Prints the key slots of a file. */
export function list(given: Arguments, output: Output): Promise<number> {
  return opened(given, reading, async (db) => {
    const slots = db.keys.list()
    await output.result({ file: given.positional('FILE'), slots }, slotTable(slots))
  })
}

/** Adds a key slot. */
export function add(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  return opened(given, connected, async (db, secrets) => {
    if (given.has('new-recovery')) {
      secrets.asked()
      return addRecovery({ db, file, ...label(given) }, output)
    }
    const secret = await newSecret(given, secrets)
    secrets.asked()
    const slot = db.keys.add({ ...secret, ...label(given) })
    return output.success({ file, ...slot }, `${file} has a new key slot: ${described(slot)}.`)
  })
}

/** Removes a key slot. */
export function remove(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  return opened(given, connected, async (db, _, id) => {
    // After the removal of its own slot, the connection cannot list the slots.
    const left = counted(db.keys.list().length - 1, 'key slot')
    const removed = db.keys.remove(id)
    const text = `Removed a key slot of ${file}: ${described(removed)}. The file has ${left}.`
    await output.success({ file, removed }, text)
    output.note(ROTATE)
  })
}

/** Changes the secret or the label of a key slot. */
export function change(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  if (given.has('label') && given.has('no-label')) throw given.usage('--no-label excludes --label')
  return opened(given, connected, async (db, secrets, id) => {
    const relabelled = given.has('no-label') ? { label: null } : label(given)
    if (given.has('new-recovery')) {
      secrets.asked()
      await changeToRecovery({ db, file, ...relabelled }, id, output)
    } else {
      const keeps = 'label' in relabelled && !secrets.has('new-')
      const secret = keeps ? {} : await newSecret(given, secrets)
      secrets.asked()
      const slot = db.keys.change(id, { ...secret, ...relabelled })
      await output.success({ file, ...slot }, `Changed a key slot of ${file}: ${described(slot)}.`)
      if (keeps) return
    }
    output.note(ROTATE)
  })
}

/** Gives a file a new data key. */
export function rotate(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  const keep = given.value('keep')
  const progress = new Progress(output, `Rotating ${file}`)
  return opened(given, rewriting, async (db, secrets) => {
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
    await output.success(object, `${file} has a new data key.${slots}${kept}`)
  })
}

const ROTATE =
  'Whoever had the old secret may have kept the data key or an older copy of the header. `strongroom keys FILE rotate` ' +
  'ends this.'

/** Opens a file that has key slots, and runs work with the connection and with the id of the slot that is named. */
async function opened(
  given: Arguments,
  open: typeof connected,
  work: (db: Database.Database, secrets: Secrets, id: string) => Promise<void>,
): Promise<number> {
  const file = given.positional('FILE')
  return withSecrets(given, async (secrets) => {
    if (given.has('new-recovery')) expectReader()
    // The library would say the same, but only after a question for a passphrase.
    const kind = kindOf(file)
    if (kind !== 'strongroom') throw noSlots(file, kind === 'unknown')
    const id = given.command.positionals.includes('ID') ? slotId(given.positional('ID'), slotIds(file)) : ''
    const key = await currentKey(given, secrets, file)
    await open(file, { ...key, timeout: timeout(given) }, (db) => work(db, secrets, id))
    return EXIT.done
  })
}

/** Opens a file for a rotation, as {@link connected} does. A connection that writes would give a file that was cut off pages. */
async function rewriting<T>(...[file, options, work]: Parameters<typeof connected<T>>): Promise<T> {
  if (isHeaderOnly(file)) await reading(file, options, (db) => expectPages(db, file))
  return connected(file, options, work)
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
  return (await secrets.fresh(given.positional('FILE'))) as Database.KeySlotSecret
}

function label(given: Arguments): { label?: string } {
  const label = given.value('label')
  return label === undefined ? {} : { label }
}
