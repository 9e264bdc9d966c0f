import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { NativeBackup } from '../load/native'
import { callback, type Given, optionalBoolean, optionsObject, pathArgument } from './arguments'
import { argumentType, argumentValue, fromNative, outOfRange } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest, wipe } from './key'
import type { Session } from './session'

/** How far a backup is. */
export interface BackupMetadata {
  /** The number of pages to copy, which grows with the database. */
  totalPages: number
  /** The number of pages that are still to be copied. */
  remainingPages: number
}

/**
 * Options of a backup. Without `key`, `passphrase` and `plain`, the copy has the key and cipher settings of its source.
 *
 * Each turn of the event loop copies 100 pages, or the number that `progress` returned. Changes of this connection are
 * carried into the copy. A change of another connection starts the copying again. An open transaction that has changed the
 * database makes the backup wait, and its changes are not copied before they are committed. A lock of another connection
 * makes the backup wait as long as `timeout`. Open iterators and other backups do not disturb. `close` ends the backup with
 * a `TypeError`.
 *
 * Pages go into `<path>-strongroom-backup`, which replaces `path` when the copy is complete and on the disk. A backup that
 * fails or is cancelled leaves `path` as it was, and removes the temporary file. A crash leaves the temporary file, which the
 * next backup to `path` removes.
 *
 * A file that is replaced keeps its permissions. A new file has those of the source, and its owner may write it. So a plain
 * copy of a file that only its owner may read is as private, unless the file that it replaces was open to others.
 *
 * A key with cipher settings that need other pages than the source has, `plain` for an encrypted source or for an image of
 * one, and a key for a plain source convert the copy in a second part, off the main thread, in which every page is written
 * and read again. `totalPages` is then three times the number of pages, and `remainingPages` falls to 0 over both parts. In the second part
 * the number that `progress` returns has no effect. The pages of the first part are in `<path>-strongroom-backup-pages`,
 * encrypted as the source is; those of a plain source are beside the source, or in memory if the source is.
 */
export interface BackupOptions extends KeyOptions {
  /**
   * Makes a copy without encryption, and without room for it on the pages. Excludes `key` and `passphrase`. Default: false.
   */
  plain?: boolean
  /** The database to copy: `main` or the name of an attached one. Default: `main`. */
  attached?: string
  /**
   * A function that is called each turn of the event loop in which the backup worked or waited. It may return the number of
   * pages for the next turn, and 0 to pause. An error of the function ends the backup, whose promise rejects with it.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement is a valid callback
  progress?: ((progress: BackupMetadata) => number | void) | null
}

/** The number of pages of a turn, unless `progress` returns another one. */
const DEFAULT_RATE = 100
const MAX_RATE = 0x7fff_ffff
/** How long a backup waits for a lock before it tries again, and how often a conversion reports, in milliseconds. */
const INTERVAL = 10

const NAMES: readonly string[] = [...KEY_NAMES, 'plain', 'attached', 'progress']

/** Copies a database into a file. */
export async function backup(session: Session, path: unknown, options: unknown): Promise<BackupMetadata> {
  const target = pathArgument(path, 'the path of the backup')
  const given = optionsObject(options, NAMES)
  if (target.trim() === '') throw argumentValue('Backup filename cannot be an empty string')
  if (target === ':memory:')
    throw argumentValue('Invalid backup filename ":memory:": serialize() returns an image in memory')
  const schema = attached(given)
  const plain = optionalBoolean(given, 'plain') ?? false
  const progress = callback<NonNullable<BackupOptions['progress']>>(given, 'progress')
  const key = keyRequest(given, "leave it out to keep the database's own key")
  if (plain && key !== undefined)
    throw argumentType('"plain" excludes "key" and "passphrase": a copy is plain or has a key')
  // A function that a statement calls may start a backup, which begins after the statement.
  while (session.open && session.inCallback) await nextTurn()
  session.ready()
  let native: NativeBackup
  try {
    native = session.native.backup(schema, target, key, plain)
  } catch (error) {
    throw fromNative(error)
  } finally {
    wipe(key)
  }
  const report = new Report(progress)
  try {
    const copied = await copy(session, native, report)
    await complete(native, report)
    return { totalPages: report.last?.totalPages ?? copied.totalPages, remainingPages: 0 }
  } catch (error) {
    native.cancel()
    throw fromNative(error)
  }
}

/** Reads the name of a database of the connection. */
export function attached(given: Given): string {
  const name = given['attached'] ?? 'main'
  if (typeof name !== 'string') throw argumentType('Expected the "attached" option to be a string')
  if (name === '') throw argumentValue('The "attached" option cannot be an empty string')
  return name
}

/** The callback of a backup, and the rate that it returned last. */
class Report {
  rate = DEFAULT_RATE
  last: BackupMetadata | undefined

  constructor(private readonly progress: BackupOptions['progress']) {}

  /** Calls the callback. */
  call({ totalPages, remainingPages }: BackupMetadata): void {
    this.last = { totalPages, remainingPages }
    const progress = this.progress
    const rate: unknown = progress?.({ totalPages, remainingPages })
    if (rate === undefined) return
    if (typeof rate !== 'number' || Number.isNaN(rate))
      throw argumentType('Expected progress callback to return a number or undefined')
    // A constant negative number would be a pause without an end.
    if (rate < 0) throw outOfRange(`the number that progress returns must be 0 or more, not ${rate}`)
    this.rate = Math.max(0, Math.min(MAX_RATE, Math.round(rate)))
  }
}

/** Copies pages in each turn of the event loop, until all are copied. */
async function copy(session: Session, native: NativeBackup, report: Report): Promise<BackupMetadata> {
  // The first turn copies nothing, so that the callback sees the start.
  for (let rate = 0; ; rate = report.rate) {
    await nextTurn()
    session.ready()
    const state = native.step(rate)
    if (state.copied) return state
    report.call(state)
    if (state.waiting) await wait(INTERVAL)
  }
}

/** Completes the copy off the main thread. A conversion to another key reports like the copying. */
async function complete(native: NativeBackup, report: Report): Promise<void> {
  let running = true
  const completion = native.complete().finally(() => {
    running = false
  })
  try {
    while (running) {
      await Promise.race([completion, wait(INTERVAL, undefined, { ref: false })])
      const state = native.progress()
      if (state && running && state.remainingPages !== report.last?.remainingPages) report.call(state)
    }
  } catch (error) {
    native.cancel()
    await completion
    throw error
  }
  native.result()
}
