// Publishes the packages that `cargo xtask pack` sealed: the platforms' first, the one that needs them last.
//
//   node publish.mjs FOLDER --dry-run      checks everything, asks the registry what it has, and publishes nothing
//   node publish.mjs FOLDER --tag v1.2.3   publishes; the tag must be the packages' version
//
// It can be run again after it stopped half-way: what the registry has with the same content is skipped, and nothing is
// published where it has another. It runs beside the right to publish, so it uses nothing but Node and npm.
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { damage, MAIN, manifest, Refused, refuse, refuseWithoutNpm, run, targets } from './sealed.mjs'

const PUBLISHED = 'published already'
const OTHER = 'published with another content'
const MISSING = 'not published'
const NEW = 'not published, and a new package'

run(() => publish(parse(process.argv.slice(2))))

function publish({ folder, tag, dryRun }) {
  const { version, packages } = release(folder, tag)
  const all = packages.map((sealed) => ({ ...sealed, state: state(sealed) }))
  for (const { id, state } of all) console.log(`${id}: ${state.kind}`)
  const unknown = all.filter(({ state }) => state.kind === NEW)
  const other = all.filter(({ state }) => state.kind === OTHER)
  if (dryRun) {
    if (unknown.length > 0) console.log('what is new is published by hand the first time: see RELEASING.md')
    // So it is with every change between a release and the next one's version.
    if (other.length > 0) console.log(`${version} is taken: raise the version in Cargo.toml before the next tag`)
    return console.log(`dry run of ${version}: nothing was published`)
  }
  refuse(
    other.map(({ id, integrity, state }) => `${id} is ${state.integrity} there, and ${integrity} here`),
    'nothing was published: the registry has another content of this version, and none can be replaced',
    'find out what published it; then raise the version in Cargo.toml, and tag that',
  )
  refuse(
    unknown.map(({ name, file }) => `${name}: ${file}`),
    'nothing was published: the registry does not know these packages, and trusts no workflow with a new name',
    'publish each of them by hand this once, as RELEASING.md says; then run this job again',
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
        `npm publish failed for ${id}; its own words are above. Published were ${done} of ${missing.length}; still ` +
          `missing: ${left.join(', ')}\nrun this job again: what is published is skipped`,
      )
    }
  })
  const before = all.length - missing.length
  console.log(`${MAIN} ${version} is published: ${missing.length} packages now, ${before} before`)
}

/** The packages of a folder in the order in which they are published, all there and whole. */
function release(folder, tag) {
  const { version, packages } = manifest(folder)
  if (tag !== undefined && tag !== `v${version}`) {
    throw new Refused(
      `nothing was published: the tag is ${tag}, but the packages are of version ${version}\n` +
        'delete the tag; set the version in Cargo.toml, and tag the commit that does',
    )
  }
  const expected = [...targets().map(({ platform }) => `@${MAIN}/${platform}`), MAIN]
  const named = (name) => packages.filter((sealed) => sealed.name === name)
  const extra = packages.filter(({ name }) => !expected.includes(name))
  refuse(
    [
      ...expected.filter((name) => named(name).length === 0).map((name) => `missing: ${name}`),
      ...expected.filter((name) => named(name).length > 1).map((name) => `more than once: ${name}`),
      ...extra.map(({ name }) => `not in targets.json: ${name}`),
      ...packages.filter((sealed) => sealed.version !== version).map(({ id }) => `not of ${version}: ${id}`),
      ...packages.map((sealed) => damage(folder, sealed)).filter(Boolean),
    ],
    `nothing was published: ${folder} is not a whole release`,
    'take the folder anew from the run that packed it, or pack again: cargo xtask pack',
  )
  return { version, packages: expected.flatMap(named) }
}

/** What the registry has of a package. */
function state({ id, name, integrity }) {
  const published = view(id, 'dist.integrity')
  if (published === integrity) return { kind: PUBLISHED }
  if (published !== undefined) return { kind: OTHER, integrity: published }
  return { kind: view(name, 'name') === undefined ? NEW : MISSING }
}

/** A field of what the registry has; undefined where it has no such package or version. */
function view(spec, field) {
  let output
  try {
    output = npm(['view', spec, field, '--json'], 'pipe')
  } catch (error) {
    if (error instanceof Refused) throw error
    const { code, summary } = json(error.stdout)?.error ?? {}
    if (code === 'E404') return undefined
    throw new Refused(
      `nothing was published: what is published already is not known, since npm view ${spec} failed: ` +
        `${summary ?? error.message}\nrun this again when the registry answers`,
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

/** Its tag in the registry. A prerelease must not become what `npm install` takes. */
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
