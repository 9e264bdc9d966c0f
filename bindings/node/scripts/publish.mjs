// Publishes the packages that `cargo xtask pack` sealed: first the platform packages, then the main package, which
// depends on them.
//
//   node publish.mjs FOLDER --dry-run          checks everything, queries the registry, and publishes nothing
//   node publish.mjs FOLDER --stage v1.2.3     stages the packages; nothing is public until a person approves them
//   node publish.mjs FOLDER --approve v1.2.3   checks the staged packages, and approves them; a person runs this
//   node publish.mjs FOLDER --tag v1.2.3       publishes without staging
//   node publish.mjs --placeholders FOLDER     writes version 0.0.0 of each package that the registry lacks
//   node publish.mjs --names                   prints the names of all packages
//
// The tag must match the packages' version. The script can run again after a failure. Each run skips packages that the
// registry already has with the same content. If the registry has one of the packages with different content, the run
// publishes nothing. The script uses only Node and npm, because it runs with publish rights.
import { resolve } from 'node:path'
import { approve } from './approval.mjs'
import { distTag, requiredTag } from './dist-tag.mjs'
import { npm } from './npm.mjs'
import { placeholders } from './placeholders.mjs'
import { compare, distTags, inState, MAKE_PLACEHOLDERS, MISSING, NEW, OTHER, refuseConflicts } from './registry.mjs'
import { names, release } from './release.mjs'
import { MAIN, Refused, run } from './sealed.mjs'
import { printNextStep, refuseOldNpm, stage } from './staging.mjs'

const MODES = { '--stage': stageRelease, '--approve': approveRelease, '--tag': publishRelease }

run(() => {
  const [folder, mode, tag, ...rest] = process.argv.slice(2)
  if (folder === '--placeholders' && mode && !mode.startsWith('-') && tag === undefined) return placeholders(mode)
  if (folder === '--names' && mode === undefined) return console.log(names().join('\n'))
  const isTagged = Object.hasOwn(MODES, mode ?? '') && tag !== undefined && rest.length === 0
  if (!folder || folder.startsWith('-') || !(isTagged || (mode === '--dry-run' && tag === undefined))) {
    throw new Refused(
      'usage: node publish.mjs FOLDER (--dry-run | --stage vX.Y.Z | --approve vX.Y.Z | --tag vX.Y.Z)\n' +
        '       node publish.mjs (--placeholders FOLDER | --names)',
    )
  }
  const { version, packages } = release(folder, tag)
  if (!isTagged) return dryRun(version, packages)
  if (mode !== '--tag') refuseOldNpm()
  const all = compare(packages)
  refuseConflicts(all)
  const missing = inState(all, MISSING)
  if (missing.length === 0) return console.log(summary(version, all, missing))
  return MODES[mode]({ folder, version, all, missing, tag: requiredTag(version, distTags()) })
})

function dryRun(version, packages) {
  const all = compare(packages)
  const [unknown, other] = [NEW, OTHER].map((kind) => inState(all, kind))
  if (unknown.length > 0) {
    console.log(`publish placeholders of the new packages first: ${MAKE_PLACEHOLDERS}; see RELEASING.md`)
  }
  // A dry run accepts a published version: the version in Cargo.toml stays the released version until a commit raises
  // it.
  if (other.length > 0) console.log(`${version} is taken: raise the version in Cargo.toml before the next tag`)
  console.log(`the tag of ${version}: ${distTag(version, distTags()) ?? 'none, because each tag has a higher version'}`)
  console.log(`dry run of ${version}: nothing was published`)
}

function stageRelease({ folder, version, all, missing, tag }) {
  const { now, before } = stage(folder, missing, tag)
  const published = all.length - missing.length
  console.log(`${MAIN} ${version} is staged: ${now} packages now, ${before} before; ${published} are published`)
  printNextStep(folder, version)
}

function approveRelease({ version, all, missing, tag }) {
  approve(all, missing, tag)
  console.log(summary(version, all, missing))
}

function publishRelease({ folder, version, all, missing, tag }) {
  missing.forEach(({ id, name, file }, done) => {
    console.log(`publishing ${id}`)
    const options = ['--provenance', '--access', 'public', '--tag', tag]
    const { succeeded, errors } = npm(['publish', resolve(folder, file), ...options], { output: 'inherit' })
    process.stderr.write(errors)
    if (succeeded) return
    const left = missing.slice(done).map((sealed) => sealed.id)
    // https://github.com/npm/cli/issues/9889: npm also says so while it still processes an earlier publication.
    const staged = `${id} is staged: approve it (publish.mjs --approve v${version}), or reject it (npm stage list ${name})`
    throw new Refused(
      `npm publish failed for ${id}; its output is above. Published ${done} of ${missing.length}; still ` +
        `missing: ${left.join(', ')}\n${errors.includes('previously staged version') ? `${staged}; then ` : ''}` +
        'run this job again: it skips published packages',
    )
  })
  console.log(summary(version, all, missing))
}

function summary(version, all, missing) {
  return `${MAIN} ${version} is published: ${missing.length} packages now, ${all.length - missing.length} before`
}
