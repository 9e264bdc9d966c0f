// Checks that a folder is a complete release.
import { damage, MAIN, manifest, packageOf, Refused, refuse, targets } from './sealed.mjs'

/** Returns the names of all packages in the order of publication: the main package depends on the others. */
export function names() {
  return [...targets().map(packageOf), MAIN]
}

/** Checks a folder. Returns its version and its packages in the order of publication. */
export function release(folder, tag) {
  const { version, packages } = manifest(folder)
  if (tag !== undefined && tag !== `v${version}`) {
    throw new Refused(
      `nothing was published: the tag is ${tag}, but the packages have version ${version}\n` +
        'delete the tag; set the version in Cargo.toml, and tag that commit',
    )
  }
  const expected = names()
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
