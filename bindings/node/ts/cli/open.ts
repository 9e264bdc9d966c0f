import Database = require('../index')

import type { Arguments } from './arguments'
import { cipherParameters } from './cipher'
import { emptyFile, kindOf, slotIds } from './database-file'
import { needsKey, type Secret, Secrets } from './secrets'
import { slotId } from './slot-id'

/** The key of a file, or `undefined` for a plain file. */
export type Key = Database.OpenKeyOptions | undefined

/** Returns the key of a file from the command line or the terminal. Asks for nothing if the file is plain. */
export async function currentKey(given: Arguments, secrets: Secrets, file: string): Promise<Key> {
  const parameters = cipherParameters(given, '')
  const kind = kindOf(file)
  const slot = given.value('slot')
  if (slot !== undefined && kind !== 'strongroom') throw given.usage(`--slot: "${file}" has no key slots`)
  const id = slot === undefined ? {} : { slot: slotId(slot, slotIds(file)) }
  if (!needsKey(kind, parameters) && !secrets.has('')) return undefined
  return { ...(await secrets.current(file)), ...id, ...parameters }
}

/** Returns a key for a new file. A recovery code cannot be one, since a new file has no key slots yet. */
export function newKey(
  { key, passphrase }: Secret,
  parameters: Database.KeyOptions,
  given: Arguments,
): Database.KeyOptions {
  if (key !== undefined) return { key, ...parameters }
  if (passphrase !== undefined) return { passphrase, ...parameters }
  throw given.usage('a recovery code cannot be the first key of a file: give --new-passphrase or another new key')
}

/** Returns the time to wait for locks, in milliseconds. */
export function timeout(given: Arguments): number {
  return Math.min(given.milliseconds('timeout') ?? 5000, 0x7fff_ffff)
}

/** Runs work with the secrets of a command, and overwrites the secrets afterwards. */
export async function withSecrets<T>(given: Arguments, work: (secrets: Secrets) => Promise<T>): Promise<T> {
  const secrets = new Secrets(given)
  try {
    return await work(secrets)
  } finally {
    secrets.wipe()
  }
}

/** The errors of a connection that reads only, if SQLite must write to read: to roll back a transaction, for instance. */
const MUST_WRITE = /^SQLITE_(READONLY_\w+|CANTOPEN)$/

/**
 * Runs work that only reads, with a connection that writes nothing. If SQLite must first complete or roll back what a
 * crashed program left, the connection is one that writes, as the connection of any other program would be.
 */
export async function reading<T>(path: string, options: Database.Options, work: Work<T>): Promise<T> {
  try {
    return await connected(path, { ...options, readonly: true }, work)
  } catch (error) {
    if (!MUST_WRITE.test(String((error as { code?: unknown }).code))) throw error
    return await connected(path, options, work)
  }
}

/** Runs work with a connection, and closes the connection. */
export async function connected<T>(path: string, options: Database.Options, work: Work<T>): Promise<T> {
  const db = new Database(path, { ...options, fileMustExist: true })
  try {
    return await work(db)
  } finally {
    db.close()
  }
}

/**
 * Throws for a database without pages. SQLite opens a file that was cut off as an empty database, whose copy could
 * replace the last good backup.
 */
export function expectPages(db: Database.Database, file: string): void {
  if (db.pragma('page_count', { simple: true }) === 0) throw emptyFile(file)
}

type Work<T> = (db: Database.Database) => T | Promise<T>
