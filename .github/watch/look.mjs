// Compares the vendored libraries with their newest releases, and looks for advisories.
//
//   node look.mjs FOLDER      writes FOLDER/report.json: whether nothing is left to do, and the text of the issue
//
// The script needs `gh` with GH_TOKEN, `cargo deny` and npm. If one source fails, the script fails after it
// asked the others, and writes no report.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromCargoDeny, fromNpmAudit } from './advisories.mjs'
import { isClean, render } from './body.mjs'
import { all, capture, Failure, main, parse, run } from './command.mjs'
import { compared, LIBRARIES } from './libraries.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * The lock files that `npm audit` reads. The packages in bindings/node build and test the published JavaScript. The
 * packages in consumers install the packages under test, on the machines of the maintainers and of CI.
 *
 * The locks of the benchmarks and of the clients are not audited. Their packages are what the project is compared with
 * and tested against, some of them old on purpose; they build nothing and are not shipped.
 */
const AUDITED = ['bindings/node', 'crates/release/lab/consumers']

/** The media type of a file's own bytes: docs.github.com/rest/repos/contents. */
const RAW = 'Accept: application/vnd.github.raw+json'

main((folder) => {
  if (!folder) throw new Failure('usage: node look.mjs FOLDER')
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8')
  const [advisories, ...rest] = all(
    cargoDeny,
    ...AUDITED.map(npmAudit),
    ...LIBRARIES.map((each) => () => look(each, lock)),
  )
  const report = {
    advisories: [...advisories, ...rest.slice(0, AUDITED.length).flat()],
    libraries: rest.slice(AUDITED.length),
  }
  const body = render(report)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), JSON.stringify({ clean: isClean(report), body }))
  console.log(body)
  if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, body)
})

function cargoDeny() {
  const args = ['deny', '--format', 'json', '--workspace', '--locked', '--all-features', 'check', 'advisories']
  return fromCargoDeny(run('cargo', args, { cwd: root }))
}

function npmAudit(folder) {
  return () => fromNpmAudit(folder, run('npm', ['audit', '--json', '--package-lock-only'], { cwd: join(root, folder) }))
}

function look(library, lock) {
  const pages = parse(`GitHub's ${library.path}`, capture('gh', ['api', '--paginate', '--slurp', library.path]))
  const index = capture('gh', ['api', '--header', RAW, indexPath(library.crate)])
  return compared(library, { lock, pages, index })
}

/** Returns a crate's path in the Git index: doc.rust-lang.org/cargo/reference/registry-index.html#index-files. */
function indexPath(crate) {
  return `repos/rust-lang/crates.io-index/contents/${crate.slice(0, 2)}/${crate.slice(2, 4)}/${crate}`
}
