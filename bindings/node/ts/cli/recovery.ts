import type Database = require('../index')

import { SqliteError } from '../api/errors'
import type { Output } from './output'
import { described } from './slot-table'

const KEEP =
  'Write the code down now, and keep it apart from the file: nothing stores the code, so nobody can show it again.'

/** A file with key slots, and the label that a slot gets. */
export interface Target {
  db: Database.Database
  file: string
  /** Without a label, a changed slot keeps its label. */
  label?: string | null
}

/**
 * Adds a slot with a new recovery code, and prints the code. If the code cannot be printed, the slot is removed again.
 *
 * The code is alone on standard output, and the text around it on standard error: `> FILE` then writes only the code.
 */
export async function addRecovery({ db, file, ...label }: Target, output: Output): Promise<void> {
  const code = db.keys.generateRecoveryCode()
  let slot: Database.KeySlot
  try {
    slot = db.keys.add({ recovery: code, ...label })
  } catch (error) {
    // The file may have the slot. Without the code, nobody could use it.
    if (unverified(error)) await output.result({ file, code }, code)
    throw error
  }
  output.note(`${file} has a new key slot: ${described(slot)}. The recovery code:\n`)
  try {
    await output.result({ file, ...slot, code }, code)
  } catch (error) {
    throw removed(db, slot, error as Error)
  }
  output.note(`\n${KEEP}`)
}

/**
 * Prints a new recovery code, and then gives the code to a slot: the old secret of the slot opens the file until somebody
 * can read the code.
 */
export async function changeToRecovery({ db, file, ...label }: Target, id: string, output: Output): Promise<void> {
  const before = db.keys.list().find((slot) => slot.id === id)
  if (before === undefined) throw new SqliteError(`no key slot has the id ${id}`, 'STRONGROOM_UNKNOWN_SLOT')
  const code = db.keys.generateRecoveryCode()
  const { current } = before
  const after = { id, kind: 'recovery', label: before.label, current, ...label } as const
  output.note(`The new recovery code of ${file}, for key slot ${described(before)}:\n`)
  await output.result({ file, ...after, code }, code)
  try {
    db.keys.change(id, { recovery: code, ...label })
  } catch (error) {
    throw about(error as Error, unverified(error) ? EITHER : UNUSED)
  }
  output.note(`\n${KEEP}`)
  output.note(`Changed a key slot of ${file}: ${described(after)}.`)
}

const EITHER = 'keep the printed recovery code and the old secret until one of them has opened the file'
const UNUSED = 'the printed recovery code opens nothing'

function unverified(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'STRONGROOM_HEADER_UNVERIFIED'
}

/** Removes a slot whose code nobody has seen, and returns the error to report. */
function removed(db: Database.Database, { id }: Database.KeySlot, error: Error): Error {
  try {
    db.keys.remove(id)
    return about(error, 'the new key slot has been removed again')
  } catch (failed) {
    const reason = `the new key slot ${id} could not be removed again (${(failed as Error).message}): remove it`
    return about(error, reason)
  }
}

/** Adds an explanation to the message of an error. */
function about(error: Error, explanation: string): Error {
  error.message += `; ${explanation}`
  return error
}
