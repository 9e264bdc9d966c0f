import type { NativeCheckProblem, NativeCheckReport } from '../load/native'
import { callback, optionsObject } from './arguments'
import { argumentType, fromNative } from './errors'
import type { Session } from './session'

/** The progress of {@link Database.check}. */
export interface CheckProgress {
  /** The number of pages whose authentication was verified. The integrity check begins after the last page. */
  checkedPages: number
  /** The number of pages of the database. */
  totalPages: number
}

/** Options of {@link Database.check}. */
export interface CheckOptions {
  /** The name of an attached database. Default: `main`. */
  attached?: string
  /** A function that gets the progress, and returns false to cancel the check. The function cannot use the database. */
  progress?: ((progress: CheckProgress) => unknown) | null
}

/** A problem in a database. */
export interface CheckProblem {
  /**
   * - `page`: a page that is missing, damaged or tampered with.
   * - `structure`: a finding of SQLite's integrity check, such as a row that is missing from an index.
   * - `foreign-key`: a row that refers to a missing row.
   */
  kind: 'page' | 'structure' | 'foreign-key'
  /** The number of the page, counted from 1. */
  page?: number
  /** The table to which the page, the index or the row belongs. */
  table?: string
  /** The rowid of the row; a bigint if a number cannot represent it exactly. */
  rowid?: number | bigint
  /** The finding, without stored values. In SQLite's messages, `row 3` is the third row, not the row with rowid 3. */
  message: string
}

/** The result of {@link Database.check}. */
export interface CheckResult {
  /** `true` if `problems` is empty. */
  ok: boolean
  /** The number of pages of the database: 0 for a file in which nothing was written yet, or that was cut off. */
  pages: number
  /**
   * `true` if the authentication of each page was verified. `false` for a database that is plain, has `useHmac: false`
   * or is in memory.
   */
  authenticated: boolean
  /**
   * The problems: at most 1,000 of each kind. If a kind has more, its last entry gives the number of problems that are
   * not listed.
   */
  problems: CheckProblem[]
}

const NAMES: readonly string[] = ['attached', 'progress'] satisfies (keyof CheckOptions)[]

/** The checked arguments of `check`. */
export interface CheckRequest {
  attached: string
  progress: ((progress: CheckProgress) => unknown) | undefined
}

/**
 * Checks the arguments of `check`.
 *
 * @param more - the names of further options, which the caller checks
 */
export function checkRequest(options: unknown, more: readonly string[] = []): CheckRequest {
  const given = optionsObject(options, [...NAMES, ...more], 'first')
  const progress = callback<(progress: CheckProgress) => unknown>(given, 'progress')
  const attached = given['attached'] ?? 'main'
  if (typeof attached !== 'string') throw argumentType('Expected the "attached" option to be a string')
  return { attached, progress }
}

/** Checks the arguments of `check`, and checks the database. */
export function check(session: Session, options: unknown): CheckResult {
  const { attached, progress } = checkRequest(options)
  session.idle()
  let thrown: { error: unknown } | undefined
  const report = (checkedPages: number, totalPages: number): boolean => {
    if (thrown !== undefined) return false
    try {
      return progress?.({ checkedPages, totalPages }) !== false
    } catch (error) {
      thrown = { error }
      return false
    }
  }
  try {
    const result = session.callback(() => session.native.check(attached, report))
    if (thrown === undefined) return checkResult(result)
  } catch (error) {
    if (thrown === undefined) throw fromNative(error)
  }
  throw thrown.error
}

/** Returns the result of a check for its caller. */
export function checkResult({ pages, authenticated, problems }: NativeCheckReport): CheckResult {
  return { ok: problems.length === 0, pages, authenticated, problems: Array.from(problems, problem) }
}

function problem({ kind, page, table, rowid, message }: NativeCheckProblem): CheckProblem {
  const found: CheckProblem = { kind, message }
  if (page !== undefined) found.page = page
  if (table !== undefined) found.table = table
  if (rowid !== undefined) {
    const number = Number(rowid)
    found.rowid = Number.isSafeInteger(number) ? number : rowid
  }
  return found
}
