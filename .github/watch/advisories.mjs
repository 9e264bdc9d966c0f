// Reads the reports of cargo-deny and of `npm audit`. Every function is pure.
import { Failure } from './command.mjs'

/** Diagnostics of cargo-deny that mean that it could not look up yanked crates. */
const INCOMPLETE = ['index-failure', 'index-cache-load-failure']

/** Returns the advisories in the output of `cargo deny --format json check advisories`. */
export function fromCargoDeny({ status, stderr }) {
  const lines = stderr.split('\n').filter((line) => line !== '')
  const messages = lines.map((line) => {
    try {
      return JSON.parse(line)
    } catch {
      return { type: 'text', fields: { message: line } }
    }
  })
  const ofType = (type) => messages.filter((message) => message?.type === type).map(({ fields }) => fields)
  const diagnostics = ofType('diagnostic').filter(({ severity }) => ['error', 'warning'].includes(severity))
  const broken = diagnostics.filter(({ code }) => INCOMPLETE.includes(code))
  // cargo-deny ends with 1 for an advisory and for a failure. Only a complete check prints a summary.
  const summary = ofType('summary').find(({ advisories }) => advisories)?.advisories
  const said = [...broken, ...ofType('log'), ...ofType('text')].map(({ message }) => message.split('\n')[0])
  if (!summary || broken.length > 0) {
    throw new Failure(
      `cargo deny ended with code ${status} and did not check everything: ${said.join('; ') || 'it printed nothing'}`,
    )
  }
  if (summary.errors + summary.warnings > diagnostics.length) {
    throw new Failure(
      `cargo deny counts ${summary.errors + summary.warnings} problems, but lists ${diagnostics.length}`,
    )
  }
  return diagnostics.map(({ code, message, advisory, labels, graphs, notes }) => {
    const krate = graphs?.[0]?.Krate
    return {
      source: 'cargo-deny',
      package: krate ? `${krate.name} ${krate.version}` : (labels?.[0]?.span ?? ''),
      id: advisory?.id ?? code ?? 'diagnostic',
      url: advisory ? `https://rustsec.org/advisories/${advisory.id}` : undefined,
      kind: code ?? 'diagnostic',
      title: message,
      remedy: notes?.find((note) => note.startsWith('Solution: ')) ?? 'Update or replace the crate',
    }
  })
}

/** Returns the advisories in the output of `npm audit --json` in a folder. */
export function fromNpmAudit(folder, { status, stdout, stderr }) {
  let report
  try {
    report = JSON.parse(stdout)
  } catch {}
  // npm also ends with 1 and prints JSON if the registry does not answer.
  const total = report?.metadata?.vulnerabilities?.total
  if (report?.auditReportVersion !== 2 || typeof report.vulnerabilities !== 'object' || typeof total !== 'number') {
    const said = report?.message ?? stderr.trim().split('\n')[0]
    throw new Failure(`npm audit in ${folder} ended with code ${status} and without a report: ${said}`)
  }
  const found = Object.values(report.vulnerabilities)
  if (found.length !== total)
    throw new Failure(`npm audit in ${folder} counts ${total} packages, but lists ${found.length}`)
  // An entry of `via` is an advisory, or the name of another vulnerable package, which has its own entry.
  const advisories = found.flatMap(({ via, fixAvailable }) =>
    via
      .filter((each) => typeof each === 'object')
      .map(({ name, range, title, url, severity }) => ({
        source: `npm audit in ${folder}`,
        package: `${name} ${range}`,
        id: url?.split('/').at(-1) ?? title,
        url,
        kind: severity,
        title,
        remedy: npmRemedy(folder, fixAvailable),
      })),
  )
  if (total > 0 && advisories.length === 0)
    throw new Failure(`npm audit in ${folder} lists packages without advisories`)
  return advisories
}

function npmRemedy(folder, fix) {
  if (fix === true) return `Run npm audit fix --package-lock-only in ${folder}`
  if (fix) return `Set ${fix.name} to ${fix.version} in ${folder}/package.json`
  return 'npm knows no fixed version: replace the package, or wait'
}
