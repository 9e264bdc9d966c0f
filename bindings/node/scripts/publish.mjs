// Publishes the packages that `cargo xtask pack` sealed: first the platform packages, then the main package, which
// depends on them.
//
//   node publish.mjs FOLDER --dry-run      checks everything, queries the registry, and publishes nothing
//   node publish.mjs FOLDER --tag v1.2.3   publishes; the tag must match the packages' version
//
// The script can run again after a failure. Each run skips packages that the registry already has with the same
// content. If the registry has one of the packages with different content, the run publishes nothing. The script uses
// only Node and npm, because it runs with publish rights.
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { damage, MAIN, manifest, packageOf, Refused, refuse, refuseWithoutNpm, run, targets } from './sealed.mjs'

const PUBLISHED = 'published already'
const OTHER = 'published with different content'
const MISSING = 'not published'
const NEW = 'not published (new package)'

run(() => publish(parse(process.argv.slice(2))))

function publish({ folder, tag, dryRun }) {
  const { version, packages } = release(folder, tag)
  const all = packages.map((sealed) => ({ ...sealed, state: state(sealed) }))
  for (const { id, state } of all) console.log(`${id}: ${state.kind}`)
  const unknown = all.filter(({ state }) => state.kind === NEW)
  const other = all.filter(({ state }) => state.kind === OTHER)
  if (dryRun) {
    if (unknown.length > 0) console.log('publish new packages by hand the first time: see RELEASING.md')
    // A dry run accepts a published version: the version in Cargo.toml stays the released version until a commit raises
    // it.
    if (other.length > 0) console.log(`${version} is taken: raise the version in Cargo.toml before the next tag`)
    return console.log(`dry run of ${version}: nothing was published`)
  }
  refuse(
    other.map(
      ({ id, integrity, state }) => `${id}: the registry has ${state.integrity}, and the folder has ${integrity}`,
    ),
    'nothing was published: the registry has different content for this version, and a published version cannot be ' +
      'replaced',
    'find out who published this version; then raise the version in Cargo.toml, and tag that commit',
  )
  refuse(
    unknown.map(({ name, file }) => `${name}: ${file}`),
    'nothing was published: the registry does not have these packages yet, and a workflow cannot publish a new package',
    'publish each package by hand once, as RELEASING.md describes; then run this job again',
  )
  const missing = all.filter(({ state }) => state.kind === MISSING)
  missing.forEach(({ id, file }, done) => {
    console.log(`publishing ${id}`)
    try {
      const options = ['--provenance', '--access', 'public', '--tag', channel(version)]
      npm(['publish', resolve(folder, file), ...options], 'inherit')
    } catch (error) {
      if (error instanceof Refused) throw error
      const left = missing.slice(done).map((sealed) => sealed.id)
      throw new Refused(
        `npm publish failed for ${id}; its output is above. Published ${done} of ${missing.length}; still ` +
          `missing: ${left.join(', ')}\nrun this job again: it skips published packages`,
      )
    }
  })
  const before = all.length - missing.length
  console.log(`${MAIN} ${version} is published: ${missing.length} packages now, ${before} before`)
}

/** Checks that a folder is a complete release. Returns its packages in publication order. */
function release(folder, tag) {
  const { version, packages } = manifest(folder)
  if (tag !== undefined && tag !== `v${version}`) {
    throw new Refused(
      `nothing was published: the tag is ${tag}, but the packages have version ${version}\n` +
        'delete the tag; set the version in Cargo.toml, and tag that commit',
    )
  }
  const expected = [...targets().map(packageOf), MAIN]
  const named = (name) => packages.filter((sealed) => sealed.name === name)
  const extra = packages.filter(({ name }) => !expected.includes(name))
  refuse(
    [
      ...expected.filter((name) => named(name).length === 0).map((name) => `missing: ${name}`),
      ...expected.filter((name) => named(name).length > 1).map((name) => `more than once: ${name}`),
      ...extra.map(({ name }) => `not in targets.json: ${name}`),
      ...packages.filter((sealed) => sealed.version !== version).map(({ id }) => `not version ${version}: ${id}`),
      ...packages.map((sealed) => damage(folder, sealed)).filter(Boolean),
    ],
    `nothing was published: ${folder} is not a complete release`,
    'download the folder again from the run that packed it, or pack again: cargo xtask pack',
  )
  return { version, packages: expected.flatMap(named) }
}

/** Compares a package with the registry. */
function state({ id, name, integrity }) {
  const published = view(id, 'dist.integrity')
  if (published === integrity) return { kind: PUBLISHED }
  if (published !== undefined) return { kind: OTHER, integrity: published }
  return { kind: view(name, 'name') === undefined ? NEW : MISSING }
}

/** Returns a field of a package in the registry, or undefined if the registry lacks the package or version. */
function view(spec, field) {
  let output
  try {
    output = npm(['view', spec, field, '--json'], 'pipe')
  } catch (error) {
    if (error instanceof Refused) throw error
    const { code, summary } = json(error.stdout)?.error ?? {}
    if (code === 'E404') return undefined
    throw new Refused(
      `nothing was published: npm view ${spec} failed: ${summary ?? error.message}\n` +
        'run the command again when the registry answers',
    )
  }
  return output.trim() === '' ? undefined : json(output)
}

function json(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns the registry's tag for a version. `npm install` installs `latest`, which must not be a prerelease. */
function channel(version) {
  return version.includes('-') ? 'next' : 'latest'
}

function npm(args, output) {
  try {
    return execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', output, output] })
  } catch (error) {
    refuseWithoutNpm(error)
    throw error
  }
}

function parse([folder, mode, tag, ...rest]) {
  const dryRun = mode === '--dry-run' && tag === undefined
  const tagged = mode === '--tag' && tag !== undefined && rest.length === 0
  if (!folder || folder.startsWith('-') || !(dryRun || tagged)) {
    throw new Refused('usage: node publish.mjs FOLDER (--dry-run | --tag vX.Y.Z)')
  }
  return { folder, tag, dryRun }
}
