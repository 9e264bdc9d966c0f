// Reads the folder that `cargo xtask pack` wrote, and checks the tarballs against the manifest.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export { MAIN, packageOf, targets } from './targets.mjs'

/** An error that stops a release. The message says what to do. */
export class Refused extends Error {}

/** Throws an error that lists all problems, unless the list is empty. */
export function refuse(problems, what, remedy) {
  if (problems.length === 0) return
  throw new Refused(`${what}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n${remedy}`)
}

/** Runs a script. Prints a `Refused` without its stack. */
export function run(work) {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  }
}

/** Throws if the error means that npm isn't installed, not that npm failed. */
export function refuseWithoutNpm(error) {
  if (error.code === 'ENOENT' && error.path === 'npm') {
    throw new Refused('npm is not on PATH: install Node with npm, then run the command again')
  }
}

/** Reads the version and the packages from a folder's manifest. Each package gets an `id`: strongroom@1.2.3. */
export function manifest(folder) {
  const path = join(folder, 'manifest.json')
  let read
  try {
    read = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Refused(`cannot read ${path}: ${error.message}; pass the folder that cargo xtask pack wrote`)
  }
  const isText = (value) => typeof value === 'string'
  const isEntry = (entry) =>
    [entry?.name, entry?.version, entry?.file, entry?.integrity].every(isText) && entry.file === basename(entry.file)
  if (!isText(read?.version) || !Array.isArray(read.packages) || !read.packages.every(isEntry)) {
    throw new Refused(`${path} is not a release manifest; pass the folder that cargo xtask pack wrote`)
  }
  return {
    version: read.version,
    packages: read.packages.map((entry) => ({ ...entry, id: `${entry.name}@${entry.version}` })),
  }
}

/** Returns how a tarball differs from the packed tarball, or undefined if it doesn't. */
export function damage(folder, { file, size, integrity }) {
  let content
  try {
    content = readFileSync(join(folder, file))
  } catch (error) {
    return `missing: ${file} (${error.code})`
  }
  const actual = digest(content)
  if (actual === integrity) return undefined
  return `damaged: ${file} has ${content.length} bytes and ${actual}, but ${size} bytes and ${integrity} were packed`
}

/** Returns a digest in the format of registries. */
export function digest(content) {
  return `sha512-${createHash('sha512').update(content).digest('base64')}`
}
