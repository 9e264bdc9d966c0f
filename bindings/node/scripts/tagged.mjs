// Checks the checked-out commit of a tag before a release builds it: the tag has the version in Cargo.toml, CHANGELOG.md
// has the version, `main` contains the commit, and CI has passed for it. Needs git, gh and the history of `main`.
//
//   node tagged.mjs v1.2.3
//
// GITHUB_REPOSITORY names the repository. gh needs a token with the permission `actions: read`.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { notes } from './changelog.mjs'
import { Refused, run } from './sealed.mjs'

/** The workflow that must have passed. */
const WORKFLOW = 'ci.yml'
const MAIN_BRANCH = 'origin/main'

run(() => {
  const [tag, ...rest] = process.argv.slice(2)
  if (!tag?.startsWith('v') || rest.length > 0) throw new Refused('usage: node tagged.mjs vX.Y.Z')
  if (!process.env.GITHUB_REPOSITORY) throw new Refused('GITHUB_REPOSITORY is not set: set it to OWNER/REPOSITORY')
  const commit = git(['rev-parse', 'HEAD']).trim()
  checkVersion(tag)
  checkAncestor(tag, commit)
  checkRun(commit)
  console.log(`${tag} is commit ${commit} of main, and ${WORKFLOW} passed for it`)
})

function checkVersion(tag) {
  const manifest = readFileSync(fileURLToPath(new URL('../../../Cargo.toml', import.meta.url)), 'utf8')
  const version = /^\[workspace\.package\]\n(?:[^[].*\n)*?version = "(.+)"$/m.exec(manifest)?.[1]
  if (version === undefined) throw new Refused('Cargo.toml has no version under [workspace.package]; add one')
  if (tag !== `v${version}`) {
    throw new Refused(
      `the tag is ${tag}, but Cargo.toml has version ${version}\n` +
        `delete the tag; set the version in Cargo.toml, merge, and tag that commit v${version}`,
    )
  }
  notes(version)
}

function checkAncestor(tag, commit) {
  try {
    git(['merge-base', '--is-ancestor', commit, MAIN_BRANCH])
  } catch (error) {
    // git exits with 1 if main does not contain the commit, and with another status if the search fails.
    if (error.status !== 1) throw new Refused(`cannot search main for ${commit}: ${said(error)}\nfetch main's history`)
    throw new Refused(
      `the tag ${tag} is commit ${commit}, which main does not contain\n` +
        `delete the tag (git push --delete origin ${tag}); merge the commit, and tag the merged commit`,
    )
  }
}

/** Checks the newest run of CI that a push of the commit to main started. */
function checkRun(commit) {
  const query = `head_sha=${commit}&branch=main&event=push&per_page=1`
  const repository = process.env.GITHUB_REPOSITORY
  let answer
  try {
    answer = gh(['api', `repos/${repository}/actions/workflows/${WORKFLOW}/runs?${query}`])
  } catch (error) {
    throw new Refused(`cannot ask GitHub for the runs of ${WORKFLOW}: ${said(error)}\nrun this job again`)
  }
  const [newest] = JSON.parse(answer).workflow_runs
  const then = 'then run this job again'
  if (newest === undefined) {
    throw new Refused(
      `${WORKFLOW} never ran for commit ${commit} on main\n` +
        'a run starts only for the last commit of a push: delete the tag, and tag a commit of main that has a run',
    )
  }
  const { id, status, conclusion, html_url } = newest
  if (status !== 'completed') {
    throw new Refused(`${WORKFLOW} is ${status} for commit ${commit}: ${html_url}\nwait until it has passed; ${then}`)
  }
  if (conclusion !== 'success') {
    throw new Refused(
      `${WORKFLOW} ended with ${conclusion} for commit ${commit}: ${html_url}\n` +
        `if the commit is not to blame, run gh run rerun ${id} --failed, and ${then} when it has passed; ` +
        'otherwise delete the tag, correct main, and tag the corrected commit',
    )
  }
}

function git(args) {
  return program('git', args)
}

function gh(args) {
  return program('gh', args)
}

function program(name, args) {
  return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Returns what a failed program printed, or why it did not start. */
function said(error) {
  return error.stderr?.trim() || error.message
}
