// Chooses the dist-tag of a version. `npm install` installs the version with the tag `latest`.
import { Refused } from './sealed.mjs'

/** The parts of a version: https://semver.org. Build metadata does not affect the order. */
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([\dA-Za-z.-]+))?(?:\+[\dA-Za-z.-]+)?$/

/**
 * Returns the tag for a version, or undefined if each possible tag has a higher version. `published` holds the dist-tags
 * of the registry, such as `{ latest: '1.2.3' }`.
 *
 * Publishing a version moves its tag, so a tag must not have a higher version. A patch of an older line gets the tag of
 * its line: `latest-1.x`, or `latest-1.2.x` if `latest-1.x` has a higher version. Versions below 1.0.0 have one line for
 * each minor version, because a minor version may change the API there (https://semver.org, item 4; `^0.1.2` does not
 * admit 0.2.0).
 */
export function distTag(version, published) {
  const { numbers, prerelease } = parse(version)
  if (prerelease.length > 0) return 'next'
  return candidates(numbers).find(
    (tag) => published[tag] === undefined || compareVersions(published[tag], version) <= 0,
  )
}

/** Like `distTag`, but throws if no tag is left. */
export function requiredTag(version, published) {
  const tag = distTag(version, published)
  if (tag !== undefined) return tag
  const taken = candidates(parse(version).numbers).map((name) => `${name} is ${published[name]}`)
  throw new Refused(
    `nothing was published: each tag that ${version} could get has a higher version: ${taken.join(', ')}\n` +
      'raise the version in Cargo.toml, and tag that commit',
  )
}

function candidates([major, minor]) {
  const lines = major === 0 ? [`0.${minor}`] : [`${major}`, `${major}.${minor}`]
  return ['latest', ...lines.map((line) => `latest-${line}.x`)]
}

/** Returns a negative number if `a` is lower than `b`, a positive number if `a` is higher, and 0 if they are equal. */
export function compareVersions(a, b) {
  const [left, right] = [parse(a), parse(b)]
  for (const [index, number] of left.numbers.entries()) {
    if (number !== right.numbers[index]) return number - right.numbers[index]
  }
  return comparePrereleases(left.prerelease, right.prerelease)
}

/** Compares prereleases: https://semver.org, item 11. A release is higher than its prereleases. */
function comparePrereleases(left, right) {
  if (left.length === 0 || right.length === 0) return right.length - left.length
  for (const [index, a] of left.entries()) {
    const b = right[index]
    if (b === undefined) return 1
    if (a === b) continue
    const [isNumber, isOtherNumber] = [a, b].map((part) => /^\d+$/.test(part))
    if (isNumber && isOtherNumber) return Number(a) - Number(b)
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
    return a < b ? -1 : 1
  }
  return left.length - right.length
}

function parse(version) {
  const [, major, minor, patch, prerelease] = VERSION.exec(version) ?? []
  if (major === undefined) throw new Refused(`"${version}" is not a version such as 1.2.3 or 1.3.0-rc.1`)
  return { numbers: [major, minor, patch].map(Number), prerelease: prerelease ? prerelease.split('.') : [] }
}
