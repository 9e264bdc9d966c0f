// Keeps one issue current with the report of look.mjs: opens, edits or closes the issue.
//
//   node issue.mjs FOLDER     reads FOLDER/report.json
//
// The script needs `gh` with GH_TOKEN and GH_REPO. The issue has the label `watch`, and its text begins with a marker,
// so the script never changes an issue that a person wrote.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MARKER } from './body.mjs'
import { capture, Failure, main, parse } from './command.mjs'

const LABEL = 'watch'
const TITLE = 'Watch: updates of vendored libraries, and advisories'

main((folder) => {
  if (!folder) throw new Failure('usage: node issue.mjs FOLDER')
  const { clean, body } = report(folder)
  const [issue, ...extra] = openIssues()
  for (const { number } of extra) close(number, `#${issue.number} replaces this issue.`)
  if (clean && issue) return close(issue.number, 'The libraries are current, and no advisory is open.')
  if (clean) return console.log('nothing to report, and no issue is open')
  if (!issue) return open(body)
  if (plain(issue.body) === plain(body)) return console.log(`#${issue.number} is current`)
  gh(['issue', 'edit', String(issue.number), '--body-file', '-'], body)
  console.log(`edited #${issue.number}`)
})

/** Reads the report of look.mjs. */
function report(folder) {
  const file = join(folder, 'report.json')
  const { clean, body } = parse(file, readFileSync(file, 'utf8'))
  if (typeof clean !== 'boolean' || typeof body !== 'string' || !body.startsWith(MARKER)) {
    throw new Failure(`${file} is not a report of look.mjs`)
  }
  return { clean, body }
}

/** Returns the open issues of this workflow, the oldest first. */
function openIssues() {
  const list = ['issue', 'list', '--label', LABEL, '--state', 'open', '--limit', '100', '--json', 'number,body']
  const issues = parse('gh issue list', gh(list))
  const isIssue = (issue) => Number.isInteger(issue?.number) && typeof issue.body === 'string'
  if (!Array.isArray(issues) || !issues.every(isIssue)) throw new Failure('gh issue list did not list issues')
  return issues.filter(({ body }) => body.startsWith(MARKER)).sort((a, b) => a.number - b.number)
}

function open(body) {
  const labels = parse('gh label list', gh(['label', 'list', '--search', LABEL, '--json', 'name']))
  if (!labels.some(({ name }) => name === LABEL)) {
    gh(['label', 'create', LABEL, '--description', 'Updates and advisories that the workflow watch found'])
  }
  console.log(gh(['issue', 'create', '--title', TITLE, '--label', LABEL, '--body-file', '-'], body).trim())
}

function close(number, comment) {
  gh(['issue', 'close', String(number), '--comment', comment])
  console.log(`closed #${number}`)
}

function gh(args, input = '') {
  return capture('gh', args, { input })
}

/** Returns a text without the differences that GitHub's editor makes. */
function plain(text) {
  return text.replaceAll('\r\n', '\n').trim()
}
