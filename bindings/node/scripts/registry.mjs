// Compares a release with the registry.
import { json, npm, npmError } from './npm.mjs'
import { MAIN, Refused, refuse } from './sealed.mjs'

export const PUBLISHED = 'published already'
export const OTHER = 'published with different content'
export const MISSING = 'not published'
export const NEW = 'not published (new package)'

/** The command that writes placeholders for new packages. */
export const MAKE_PLACEHOLDERS = 'node bindings/node/scripts/publish.mjs --placeholders FOLDER'

/** Compares packages with the registry, and prints each state. Returns the packages with their states. */
export function compare(packages) {
  const all = packages.map((sealed) => ({ ...sealed, state: state(sealed) }))
  for (const { id, state } of all) console.log(`${id}: ${state.kind}`)
  return all
}

/** Returns the packages in a state. */
export function inState(all, kind) {
  return all.filter(({ state }) => state.kind === kind)
}

/** Refuses a release if the registry has different content, or lacks a package. */
export function refuseConflicts(all) {
  refuse(
    inState(all, OTHER).map(
      ({ id, integrity, state }) => `${id}: the registry has ${state.integrity}, and the folder has ${integrity}`,
    ),
    'nothing was published: the registry has different content for this version, and a published version cannot be ' +
      'replaced',
    'find out who published this version; then raise the version in Cargo.toml, and tag that commit',
  )
  refuse(
    inState(all, NEW).map(({ name }) => name),
    'nothing was published: the registry does not have these packages yet, and a workflow cannot publish a new package',
    `write placeholders (${MAKE_PLACEHOLDERS}), publish them by hand, and configure their trusted publishers, as ` +
      'RELEASING.md describes; then run this job again',
  )
}

/** Returns the dist-tags of the main package, such as `{ latest: '1.2.3' }`. All packages get the same tags. */
export function distTags() {
  return view(MAIN, 'dist-tags') ?? {}
}

/** Returns whether the registry has a package of this name in any version. */
export function isKnown(name) {
  return view(name, 'name') !== undefined
}

/** Compares a package with the registry. */
export function state({ id, name, integrity }) {
  const published = view(id, 'dist.integrity')
  if (published === integrity) return { kind: PUBLISHED }
  if (published !== undefined) return { kind: OTHER, integrity: published }
  return { kind: isKnown(name) ? MISSING : NEW }
}

/** Returns a field of a package in the registry, or undefined if the registry lacks the package or version. */
function view(spec, field) {
  const ran = npm(['view', spec, field, '--json'])
  if (ran.succeeded && ran.output.trim() === '') return undefined
  const read = json(ran.output)
  // npm 12 prints an array with one element for each matching version, and npm 11 prints a single element without one.
  if (ran.succeeded && read !== undefined) return [read].flat()[0]
  const { code, summary } = npmError(ran)
  if (code === 'E404') return undefined
  throw new Refused(
    `nothing was published: npm view ${spec} failed: ${summary}\nrun the command again when the registry answers`,
  )
}
