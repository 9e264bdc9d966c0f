import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { NativeBackup, NativeBackupProgress, NativeKey } from '../load/native'
import { attached, callback, optionalBoolean, optionsObject, pathArgument } from './arguments'
import { argumentType, argumentValue, fromNative, outOfRange } from './errors'
import { KEY_NAMES, type KeyOptions, keyRequest, wipe } from './key'
import type { Session } from './session'

/** The progress of a backup. */
export interface BackupMetadata {
  /** The number of pages to copy. Grows with the database. */
  totalPages: number
  /** The number of pages that are still to be copied. */
  remainingPages: number
}

/**
 * Options of a backup. Without `key`, `passphrase` and `plain`, the copy has the key and cipher settings of its source.
 *
 * Each turn of the event loop copies 100 pages, or the number that `progress` returned. The copy includes changes that
 * this connection makes in the meantime. A change by another connection restarts the copying. An open transaction that
 * has changed the database makes the backup wait until the transaction ends. A lock of another connection makes the
 * backup wait for up to `timeout`. Open iterators and other backups do not affect the backup. `close` ends the backup
 * with a `TypeError`.
 *
 * The backup writes pages to `<path>-strongroom-backup`, which replaces `path` once the copy is complete and synced to
 * disk. A backup that fails or is cancelled leaves `path` unchanged and removes the temporary file. After a crash the
 * temporary file remains, and the next backup to `path` removes it.
 *
 * A replaced file keeps its permissions. A new file gets the permissions of the source, and its owner can write to it.
 * A plain copy is therefore as private as its source, unless the copy replaces a file that others may read.
 *
 * A backup with one of these options converts the copy in a second phase: a key whose cipher settings need a page
 * layout other than the source's, a key for a plain source, or `plain` for an encrypted source or an image of an
 * encrypted database. The second phase runs off the main thread, and writes and reads back every page. `totalPages` is
 * then three times the number of pages, and `remainingPages` falls to 0 over both phases. In the second phase the
 * number that `progress` returns has no effect. The first phase writes its pages to `<path>-strongroom-backup-pages`,
 * with the encryption of the source. For a plain source, this file is beside the source instead. For an in-memory
 * source, the pages are in memory.
 */
export interface BackupOptions extends KeyOptions {
  /**
   * Makes a copy without encryption, and without bytes reserved for encryption on the pages. Excludes `key` and
   * `passphrase`. Default: false.
   */
  plain?: boolean
  /** The database to copy: `main` or the name of an attached database. Default: `main`. */
  attached?: string
  /**
   * A function that the backup calls in each turn of the event loop, whether the turn copied pages or waited. The
   * function can return the number of pages for the next turn, or 0 to pause. If the function throws, the backup ends
   * and its promise rejects with that error.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement is a valid callback
  progress?: ((progress: BackupMetadata) => number | void) | null
}

/** The number of pages that each turn copies, unless `progress` returns another number. */
const DEFAULT_RATE = 100
const MAX_RATE = 0x7fff_ffff
/** The interval in milliseconds at which a backup retries a lock, and at which a conversion reports its progress. */
const INTERVAL = 10

const NAMES: readonly string[] = [...KEY_NAMES, 'plain', 'attached', 'progress']

/** The checked arguments of a backup. */
export interface BackupRequest {
  path: string
  schema: string
  plain: boolean
  /** The key of the copy, which the caller wipes. */
  key: NativeKey | undefined
  report: Report
}

/**
 * Checks the arguments of a backup.
 *
 * @param more - the names of further options, which the caller checks
 */
export function backupRequest(path: unknown, options: unknown, more: readonly string[] = []): BackupRequest {
  const target = pathArgument(path, 'the path of the backup')
  const given = optionsObject(options, [...NAMES, ...more])
  if (target.trim() === '') throw argumentValue('Backup filename cannot be an empty string')
  if (target === ':memory:')
    throw argumentValue('Invalid backup filename ":memory:": use serialize() for an in-memory image')
  const schema = attached(given)
  const plain = optionalBoolean(given, 'plain') ?? false
  const progress = callback<NonNullable<BackupOptions['progress']>>(given, 'progress')
  const key = keyRequest(given, "leave it out to keep the database's own key")
  if (plain && key !== undefined)
    throw argumentType('"plain" excludes "key" and "passphrase": a copy is plain or has a key')
  return { path: target, schema, plain, key, report: new Report(progress) }
}

/** Copies a database into a file. */
export async function backup(session: Session, path: unknown, options: unknown): Promise<BackupMetadata> {
  const { path: target, schema, plain, key, report } = backupRequest(path, options)
  // If a statement's callback starts a backup, the backup begins after the statement.
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
  const step = (pages: number): NativeBackupProgress => {
    session.ready()
    return native.step(pages)
  }
  try {
    const copied = await copyPages(step, report)
    await complete(native, report)
    return { totalPages: report.last?.totalPages ?? copied.totalPages, remainingPages: 0 }
  } catch (error) {
    native.cancel()
    throw fromNative(error)
  }
}

/** The callback of a backup, and the number of pages that it returned last. */
export class Report {
  rate: number = DEFAULT_RATE
  last: BackupMetadata | undefined

  readonly #progress: BackupOptions['progress']

  constructor(progress: BackupOptions['progress']) {
    this.#progress = progress
  }

  /** Reports the progress, and stores the number of pages that the callback returns. */
  call({ totalPages, remainingPages }: BackupMetadata): void {
    this.last = { totalPages, remainingPages }
    const progress = this.#progress
    const rate: unknown = progress?.({ totalPages, remainingPages })
    if (rate === undefined) return
    if (typeof rate !== 'number' || Number.isNaN(rate))
      throw argumentType('Expected progress callback to return a number or undefined')
    // A callback that always returns a negative number would pause the backup forever.
    if (rate < 0) throw outOfRange(`the number that progress returns must be 0 or more, not ${rate}`)
    this.rate = Math.max(0, Math.min(MAX_RATE, Math.round(rate)))
  }
}

/** Copies pages in each turn of the event loop until all pages are copied. */
export async function copyPages(
  step: (pages: number) => NativeBackupProgress | Promise<NativeBackupProgress>,
  report: Report,
): Promise<BackupMetadata> {
  // The first turn copies nothing, so the callback sees the start.
  for (let rate = 0; ; rate = report.rate) {
    await nextTurn()
    const state = await step(rate)
    if (state.copied) return state
    report.call(state)
    if (state.waiting) await wait(INTERVAL)
  }
}

/** Completes the copy off the main thread. A conversion to another key reports its progress as the copying does. */
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
