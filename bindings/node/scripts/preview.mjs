// Describes packed packages for the summary of a workflow run, in Markdown: the command that installs them, and the size
// of each package compared with the newest run on main.
//
//   node preview.mjs FOLDER
//
// Reads GITHUB_REPOSITORY, GITHUB_RUN_ID and, for gh, GH_TOKEN with the permission `actions: read`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAIN, manifest, Refused, run } from './sealed.mjs'

const WORKFLOW = 'release-node.yml'

run(() => {
  const [folder, ...rest] = process.argv.slice(2)
  if (!folder || rest.length > 0) throw new Refused('usage: node preview.mjs FOLDER')
  const { version, packages } = manifest(folder)
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = process.env
  const main = baseline(repository)
  const rows = packages.map(({ name, size }) => `| ${name} | ${bytes(size)} | ${change(size, main.sizes?.get(name))} |`)
  const file = (name) => `./packages/${name.replace('@', '').replace('/', '-')}-${version}.tgz`
  console.log(`## Packages of ${MAIN} ${version}

Install these packages into a project; replace \`PLATFORM\`, for example by \`linux-x64-gnu\`:

\`\`\`sh
gh run download ${id} --repo ${repository} --name packages --dir packages && npm install ${file(MAIN)} ${file(`@${MAIN}/PLATFORM`)}
\`\`\`

| package | bytes of the tarball | ${main.title} |
|---|---:|---:|
${rows.join('\n')}`)

  function change(size, before) {
    if (main.sizes === undefined) return '?'
    if (before === undefined) return 'new'
    const percent = ((size - before) / before) * 100
    return `${size >= before ? '+' : '−'}${bytes(Math.abs(size - before))} (${percent.toFixed(1)} %)`
  }
})

/** Returns the sizes of the packages in the newest successful run on main, and the title of their column. */
function baseline(repository) {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-preview-'))
  try {
    const which = ['--workflow', WORKFLOW, '--branch', 'main', '--event', 'push', '--status', 'success', '--limit', '1']
    const newest = JSON.parse(gh(['run', 'list', '--repo', repository, ...which, '--json', 'databaseId,headSha']))[0]
    if (newest === undefined) return { title: 'against main: no successful run of main' }
    const { databaseId, headSha } = newest
    gh(['run', 'download', String(databaseId), '--repo', repository, '--name', 'manifest', '--dir', folder])
    const { packages } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    const title = `against main (run ${databaseId}, commit ${headSha.slice(0, 7)})`
    return { title, sizes: new Map(packages.map(({ name, size }) => [name, size])) }
  } catch (error) {
    // A preview is only information: a run whose artifact has expired must not stop a release.
    const [why] = (error.stderr?.trim() || error.message).split('\n')
    return { title: `against main: cannot read its sizes (${why.replaceAll('|', '/')})` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function gh(args) {
  return execFileSync('gh', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function bytes(count) {
  return count.toLocaleString('en')
}
