// Compares the vendored libraries with their newest releases. Every function is pure.
import { Failure } from './command.mjs'

/**
 * The vendored libraries. Cargo.lock has their versions, because the version of each crate names the library that the
 * crate contains; vendored-sys tests that these libraries are linked.
 *
 * `contained` finds the library's version in the crate's version, and `tag` in a tag. `path` lists the tags in GitHub's
 * API (docs.github.com/rest/releases, docs.github.com/rest/git/refs), and `tagOf` reads one tag of that list. `line` is
 * the number of leading components that an update keeps.
 */
export const LIBRARIES = [
  {
    name: 'OpenSSL',
    crate: 'openssl-src',
    contained: /\+(\d+(?:\.\d+){2})$/,
    repository: 'openssl/openssl',
    path: 'repos/openssl/openssl/releases?per_page=100',
    tagOf: release,
    tag: /^openssl-(\d+(?:\.\d+){2})$/,
    line: 2,
  },
  {
    name: 'SQLCipher',
    crate: 'sqlcipher-src',
    contained: /\+sqlcipher-(\d+(?:\.\d+){2})-/,
    repository: 'sqlcipher/sqlcipher',
    path: 'repos/sqlcipher/sqlcipher/git/matching-refs/tags/v',
    tagOf: reference,
    tag: /^v(\d+(?:\.\d+){2})$/,
    line: 0,
  },
  {
    name: 'SQLite',
    crate: 'sqlcipher-src',
    contained: /-sqlite-(\d+(?:\.\d+){2,3})(?:-|$)/,
    repository: 'sqlite/sqlite',
    path: 'repos/sqlite/sqlite/git/matching-refs/tags/version-',
    tagOf: reference,
    tag: /^version-(\d+(?:\.\d+){2,3})$/,
    line: 0,
  },
  {
    name: 'zstd',
    crate: 'zstd-sys',
    contained: /\+zstd\.(\d+(?:\.\d+){2})$/,
    repository: 'facebook/zstd',
    path: 'repos/facebook/zstd/releases?per_page=100',
    tagOf: release,
    tag: /^v(\d+(?:\.\d+){2})$/,
    line: 0,
  },
]

/** Returns the tag of a release, or `undefined` for a draft or prerelease. */
function release({ tag_name: tag, draft, prerelease }) {
  return draft || prerelease ? undefined : tag
}

/** Returns the tag of a Git reference. */
function reference({ ref }) {
  return ref.replace('refs/tags/', '')
}

/** Compares two versions by number, for `sort`. */
export function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Returns the first `length` components of a version. */
export function lineOf(version, length) {
  return version.split('.').slice(0, length).join('.')
}

/** Returns the version of a library that a lock file pins. */
export function locked({ name, crate, contained }, lock) {
  const found = [...lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)].filter(([, each]) => each === crate)
  const version = found.length === 1 ? contained.exec(found[0][2])?.[1] : undefined
  if (!version) throw new Failure(`Cargo.lock has no version of ${crate} that names ${name}`)
  return version
}

/** Returns the versions of a library's releases, from the pages of GitHub's answer. */
export function released({ name, path, tagOf, tag }, pages) {
  const isItem = (item) => typeof (item?.tag_name ?? item?.ref) === 'string'
  if (!Array.isArray(pages) || !pages.every((page) => Array.isArray(page) && page.every(isItem))) {
    throw new Failure(`GitHub's answer to ${path} is not a list of tags`)
  }
  const versions = pages.flat().flatMap((item) => tag.exec(tagOf(item))?.[1] ?? [])
  if (versions.length === 0) throw new Failure(`GitHub's answer to ${path} has no release of ${name}`)
  return versions.sort(compare)
}

/**
 * Returns the versions of a crate that are not yanked, each with the version of the library it contains.
 *
 * The text has one JSON object per line: doc.rust-lang.org/cargo/reference/registry-index.html.
 */
export function crates({ name, crate, contained }, text) {
  const lines = text.split('\n').filter((line) => line !== '')
  const entries = lines.map((line) => {
    try {
      const { name: found, vers, yanked } = JSON.parse(line)
      if (found === crate && typeof vers === 'string' && typeof yanked === 'boolean') return { vers, yanked }
    } catch {}
    throw new Failure(`the index of crates.io has a line for ${crate} that cannot be read: ${line.slice(0, 80)}`)
  })
  const usable = entries.filter(({ yanked }) => !yanked)
  const known = usable.map(({ vers }) => ({ version: vers, library: contained.exec(vers)?.[1] }))
  const naming = known.filter(({ library }) => library)
  if (naming.length === 0) throw new Failure(`the index of crates.io has no ${crate} that names ${name}`)
  return naming.sort((a, b) => compare(a.library, b.library))
}

/** Compares a library with its releases and with the crates that contain it. */
export function compared(library, { lock, pages, index }) {
  const ours = locked(library, lock)
  const versions = released(library, pages)
  const ofLine = (version) => lineOf(version, library.line) === lineOf(ours, library.line)
  const newest = versions.filter(ofLine).at(-1)
  // An old or partial answer must not count as "nothing to update".
  if (!newest || compare(newest, ours) < 0) {
    const found = newest ?? `no release of ${lineOf(ours, library.line)}`
    throw new Failure(
      `GitHub's answer to ${library.path} ends with ${found}, but Cargo.lock has ${library.name} ${ours}`,
    )
  }
  const crate = crates(library, index)
    .filter((each) => ofLine(each.library))
    .at(-1)
  if (!crate)
    throw new Failure(
      `the index of crates.io has no ${library.crate} that contains ${library.name} ${lineOf(ours, library.line)}`,
    )
  return {
    name: library.name,
    crate: library.crate,
    repository: library.repository,
    ours,
    newest,
    newestTag: tagFor(library, newest, pages),
    newestOfAll: versions.at(-1),
    crateVersion: crate.version,
    crateLibrary: crate.library,
    isOutdated: compare(newest, ours) > 0,
  }
}

/** Returns the tag of a version. */
function tagFor({ tagOf, tag }, version, pages) {
  return pages
    .flat()
    .map(tagOf)
    .find((each) => tag.exec(each)?.[1] === version)
}
