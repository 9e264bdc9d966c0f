import type Database = require('../index')

import { repairs } from './advice'
import type { Arguments } from './arguments'
import { EXIT } from './exit'
import { currentKey, expectPages, reading, timeout, withSecrets } from './open'
import { counted, type Output } from './output'
import { Progress } from './progress'
import { table } from './table'
import { fitting } from './wrapped'

/** The integrity check reports no progress. */
const STRUCTURE = 'reads the structure'

/** Checks a file, prints the findings, and returns the exit code. */
export async function check(given: Arguments, output: Output): Promise<number> {
  const file = given.positional('FILE')
  const progress = new Progress(output, `Checking ${file}`)
  const { result, format } = await withSecrets(given, async (secrets) => {
    const key = await currentKey(given, secrets, file)
    secrets.asked()
    return reading(file, { ...key, timeout: timeout(given) }, (db) => {
      expectPages(db, file)
      try {
        progress.say(STRUCTURE)
        const report = ({ checkedPages, totalPages }: Database.CheckProgress): void => {
          if (checkedPages < totalPages) progress.update(checkedPages, totalPages)
          else progress.say(STRUCTURE)
        }
        return { result: db.check({ progress: report }), format: db.format }
      } finally {
        progress.end()
      }
    })
  })
  const { ok, pages, authenticated, problems } = result
  const object = { file, format, ok, pages, authenticated, problems }
  if (ok) await output.success(object, undamaged(file, result, format))
  else await output.result(object, `${findings(problems)}\n\n${fitting(damaged(file, problems), process.stdout)}`)
  return ok ? EXIT.done : EXIT.damaged
}

function undamaged(file: string, { pages, authenticated }: Database.CheckResult, format: string): string {
  const sentence = `${file}: no damage in ${counted(pages, 'page')}.`
  if (authenticated) return `${sentence} Each page is authentic.`
  const why = format === 'plain' ? 'a plain file does not authenticate its pages' : 'the file has no HMAC'
  return `${sentence} A change by somebody else cannot be detected: ${why}.`
}

function findings(problems: readonly Database.CheckProblem[]): string {
  const rows = problems.map(({ kind, page, table, rowid, message }) => [
    kind,
    String(page ?? ''),
    table ?? '',
    String(rowid ?? ''),
    repairs(message),
  ])
  return table(['KIND', 'PAGE', 'TABLE', 'ROWID', 'FINDING'], rows)
}

function damaged(file: string, problems: readonly Database.CheckProblem[]): string {
  const advice = problems.every(({ kind }) => kind === 'foreign-key')
    ? 'Rows refer to rows that do not exist; the pages are whole. Correct the rows with SQL.'
    : 'Copy the file for an investigation, and restore a backup, unless a finding names another repair.'
  return `${file}: ${counted(problems.length, 'problem')}. ${advice}`
}
