// The folder of a release that `cargo xtask pack` made: what its manifest says, and whether the tarballs are that.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package that users install. */
export const MAIN = 'strongroom'

/** What stops a release, in words for who makes it. */
export class Refused extends Error {}

/** Throws one error for all problems, where there is one. */
export function refuse(problems, what, remedy) {
  if (problems.length === 0) return
  throw new Refused(`${what}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n${remedy}`)
}

/** Runs a script's work, and prints what stops it without a stack. */
export function run(work) {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  }
}

/** What stops a script that finds no npm, which is another matter than an npm that fails. */
export function refuseWithoutNpm(error) {
  if (error.code === 'ENOENT' && error.path === 'npm') {
    throw new Refused('npm is not on PATH: install Node with npm, and run this again')
  }
}

/** The rows of targets.json. */
export function targets() {
  const file = fileURLToPath(new URL('../../../targets.json', import.meta.url))
  return JSON.parse(readFileSync(file, 'utf8')).targets
}

/** The manifest of a folder, its version and its packages; each with `id`, such as strongroom@1.2.3. */
export function manifest(folder) {
  const path = join(folder, 'manifest.json')
  let read
  try {
    read = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Refused(`${path} cannot be read (${error.message}): name the folder that cargo xtask pack made`)
  }
  const isText = (value) => typeof value === 'string'
  const isEntry = (entry) =>
    [entry?.name, entry?.version, entry?.file, entry?.integrity].every(isText) && entry.file === basename(entry.file)
  if (!isText(read?.version) || !Array.isArray(read.packages) || !read.packages.every(isEntry)) {
    throw new Refused(`${path} is no manifest of a release: name the folder that cargo xtask pack made`)
  }
  return {
    version: read.version,
    packages: read.packages.map((entry) => ({ ...entry, id: `${entry.name}@${entry.version}` })),
  }
}

/** Why a tarball is not the one that was packed, if so. */
export function damage(folder, { file, size, integrity }) {
  let content
  try {
    content = readFileSync(join(folder, file))
  } catch (error) {
    return `missing: ${file} (${error.code})`
  }
  const actual = `sha512-${createHash('sha512').update(content).digest('base64')}`
  if (actual === integrity) return undefined
  return `damaged: ${file} has ${content.length} bytes and ${actual}, but ${size} bytes and ${integrity} were packed`
}
