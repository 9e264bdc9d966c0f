// The builds of Strongroom that are measured, and the descriptions of their addons.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cargoBuild, ROOT } from './cargo.mjs'

const PACKAGE = fileURLToPath(new URL('../', import.meta.url))

/**
 * The size in bytes above which an addon is taken for a debug addon. Debug symbols make an addon about ten times as
 * large.
 */
const LARGEST_RELEASE = 20e6

/** An error about a build that cannot be measured. */
export class BuildError extends Error {}

/**
 * Returns the builds to measure: `{ name, folder, text }`, in which `text` describes the addon.
 *
 * If no builds are given, this checkout is measured: `cargo xtask dist` builds its release addon as a release does. If
 * `cargo xtask dist` fails, `cargo build --release` builds the addon.
 */
export function builds({ given, build, log }) {
  if (given.length > 0) return given.map(({ name, folder }) => found(name, resolve(folder), 'not built by this run'))
  if (!build) return [found('strongroom', PACKAGE, 'not built by this run')]
  return [found('strongroom', PACKAGE, built(log))]
}

/** Builds this checkout's release addon. Returns a description of the build. */
function built(log) {
  log('building Strongroom: cargo xtask dist')
  const dist = spawnSync('cargo', ['xtask', 'dist'], { cwd: ROOT, stdio: ['ignore', 'ignore', 2] })
  if (dist.status === 0) return 'built by cargo xtask dist'
  log(
    `cargo xtask dist failed (${dist.error?.code ?? 'its message is above'}); building Strongroom: cargo build --release`,
  )
  return plainBuild()
}

/** Builds the addon with the machine's C compiler, and compiles the TypeScript. */
function plainBuild() {
  const isAddon = ({ target }) => target.name === 'bindings_node' && target.kind.includes('cdylib')
  const { artifact, failed } = cargoBuild(['-p', 'bindings_node'], isAddon)
  if (failed)
    throw new BuildError(
      `cannot build Strongroom (${failed}): install Rust, or measure an existing build with --no-build or --strongroom NAME=DIR`,
    )
  const finish = spawnSync(process.execPath, ['scripts/build.mjs', 'finish'], { cwd: PACKAGE, stdio: ['ignore', 2, 2] })
  if (finish.status !== 0) throw new BuildError('cannot compile the TypeScript; the reason is above')
  const addon = join(PACKAGE, 'dist', `bindings_node.${platform()}.node`)
  // The new file replaces the old one, which may be mapped by a running process.
  copyFileSync(
    artifact.filenames.find((file) => /\.(so|dylib|dll)$/.test(file)),
    `${addon}.new`,
  )
  renameSync(`${addon}.new`, addon)
  return 'built by cargo build --release, with the C compiler of this machine'
}

/** Returns the platform of targets.json whose triple is rustc's host. */
function platform() {
  const { stdout } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' })
  const host = /^host: (.*)$/m.exec(stdout)[1]
  return JSON.parse(readFileSync(join(ROOT, 'targets.json'), 'utf8')).targets.find(({ triple }) => triple === host)
    .platform
}

/**
 * Describes the build in a folder, and notes a debug addon. Throws if the folder has no dist/index.js or no addon for
 * this platform.
 */
function found(name, folder, how) {
  const dist = existsSync(join(folder, 'dist')) ? join(folder, 'dist') : folder
  if (!existsSync(join(dist, 'index.js')))
    throw new BuildError(
      `${folder} has no dist/index.js: build Strongroom there (npm run build:release), or leave out --no-build`,
    )
  const addons = readdirSync(dist).filter((file) => file.endsWith('.node'))
  const own = addons.find((file) => file.includes(`.${process.platform}-${process.arch}`))
  if (!own) throw new BuildError(`${dist} has no addon for this platform: run npm run build:release there`)
  const { size } = statSync(join(dist, own))
  const hash = createHash('sha256')
    .update(readFileSync(join(dist, own)))
    .digest('hex')
    .slice(0, 12)
  const debug = size > LARGEST_RELEASE ? '; over 20 MB, so probably a debug build, which is slow' : ''
  const text = `${shown(join(dist, own))}, ${(size / 1e6).toFixed(1)} MB, sha256 ${hash}, ${how}${debug}`
  return { name, folder, text }
}

/** Returns a path relative to the checkout if the path is inside the checkout. */
function shown(file) {
  const inside = relative(ROOT, file)
  return inside.startsWith('..') || isAbsolute(inside) ? file : inside
}
