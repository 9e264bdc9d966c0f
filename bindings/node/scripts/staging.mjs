// Stages packages: a staged version is invisible until a person approves it (npm help stage).
import { resolve } from 'node:path'
import { compareVersions } from './dist-tag.mjs'
import { json, npm, npmError } from './npm.mjs'
import { MAIN, Refused } from './sealed.mjs'

/** The first npm with `npm stage`: https://docs.npmjs.com/staged-publishing. Some Nodes come with an older npm. */
const FIRST_NPM = '11.15.0'

/** Refuses an npm that cannot stage. */
export function refuseOldNpm() {
  const version = npm(['--version']).output.trim()
  if (compareVersions(version, FIRST_NPM) >= 0) return
  throw new Refused(
    `nothing was published: npm ${version} cannot stage packages; npm ${FIRST_NPM} is the first that can\n` +
      'install a newer npm: npm install --global npm@^11.15',
  )
}

/** Stages packages in the given order. Returns the number of packages that were staged now and before. */
export function stage(folder, packages, tag) {
  const counts = { now: 0, before: 0 }
  packages.forEach((sealed, index) => {
    const options = ['--provenance', '--access', 'public', '--tag', tag, '--json']
    const ran = npm(['stage', 'publish', resolve(folder, sealed.file), ...options])
    const isStagedBefore = !ran.succeeded && isStaged(npmError(ran))
    if (!isStagedBefore) process.stderr.write(ran.errors)
    if (ran.succeeded) {
      console.log(`${sealed.id}: staged with the tag ${tag}; stage id ${stageId(sealed, ran.output)}`)
      counts.now += 1
    } else if (isStagedBefore) {
      console.log(`${sealed.id}: staged already; --approve compares the content`)
      counts.before += 1
    } else {
      const left = packages.slice(index).map(({ id }) => id)
      throw new Refused(
        `npm stage publish failed for ${sealed.id}: ${npmError(ran).summary}\n` +
          `Staged ${counts.now} packages now, ${counts.before} before; still missing: ${left.join(', ')}\n` +
          'nothing is public yet. Remove the cause, and run this job again: it skips staged packages',
      )
    }
  })
  return counts
}

/** Prints how a person publishes a staged release. */
export function printNextStep(folder, version) {
  const run = process.env.GITHUB_RUN_ID
  console.log(
    `nothing is public yet: log in (npm login), and approve ${MAIN} ${version} from a checkout of v${version}:`,
  )
  if (run) console.log(`  gh run download ${run} --name packages --dir packages`)
  console.log(`  node bindings/node/scripts/publish.mjs ${run ? 'packages' : folder} --approve v${version}`)
}

/**
 * Returns whether npm refused to stage because this version is staged already. The workflow's token cannot run
 * `npm stage list`, so the refusal is the only sign. For a staged version, npm says "Cannot stage previously published
 * version" (https://github.com/npm/cli/issues/9519) or "Cannot publish over previously staged version".
 */
function isStaged({ code, summary }) {
  return code === 'E409' && /previously (published|staged) version/.test(summary)
}

/** Returns the stage id from npm's output: an object, which npm 12 wraps in an object with the package's name as key. */
function stageId({ name }, output) {
  const read = json(output)
  return (read?.[name] ?? read)?.stageId ?? `unknown: run npm stage list ${name}`
}
