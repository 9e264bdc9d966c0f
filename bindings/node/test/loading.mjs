import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { folder } from './temporary.mjs'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))

/** The addons that came with the package, in it or in the packages of platforms. */
export const addons = [dist, ...packages()].flatMap((home) =>
  readdirSync(home)
    .filter((name) => name.endsWith('.node'))
    .map((name) => join(home, name)),
)

function packages() {
  const scope = join(dist, '../../@strongroom')
  try {
    return readdirSync(scope).map((name) => join(scope, name))
  } catch {
    return []
  }
}

/** A copy of the package, without its addons. */
export function bareCopy(parent = folder) {
  // Other users may come in: a test runs Node as one.
  chmodSync(folder, 0o755)
  const copy = mkdtempSync(join(parent, 'package-'))
  chmodSync(copy, 0o755)
  cpSync(join(dist, '../package.json'), join(copy, 'package.json'))
  cpSync(dist, join(copy, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.node') })
  return copy
}

/** Loads the package in a process of its own, and shows what came of it. */
export function load(copy, { env = {}, prelude = '', flags = [], spawn = {} } = {}) {
  const entry = JSON.stringify(join(copy, 'dist/index.js'))
  return run(process.execPath, [...flags, '-e', `${prelude}\n${report(`require(${entry})`)}`], { ...spawn, env })
}

/** A script that shows what came of loading the package. */
export function report(expression) {
  return `
    try {
      const Database = ${expression}
      console.log(JSON.stringify({ value: new Database().prepare('SELECT 42').pluck().get() }))
    } catch (error) {
      const { message, code, cause, errors } = error
      console.log(JSON.stringify({ message, code, cause: cause?.message, count: errors?.length }))
    }`
}

/** Runs such a script. */
export function run(command, args, { env, ...spawn }) {
  const { STRONGROOM_LIBRARY: _, ...inherited } = process.env
  const options = { encoding: 'utf8', ...spawn, env: { ...inherited, ...env } }
  const { stdout, stderr, error, signal } = spawnSync(command, args, options)
  assert.ifError(error)
  assert.deepEqual({ stderr, signal }, { stderr: '', signal: null })
  return JSON.parse(stdout)
}

/** The one of the addons that this process loads, and its platform. */
export const addon = addons.find((file) => load(bareCopy(), { env: { STRONGROOM_LIBRARY: file } }).value === 42)
assert.ok(addon, `none of the package's addons loads here: ${addons}`)
export const platform = basename(addon).split('.')[1]

/** Puts an addon where the local one is. */
export function putLocal(copy, file = addon) {
  const place = join(copy, 'dist', basename(addon))
  put(file, place)
  return place
}

/** Puts an addon where npm installs the package of a platform. */
export function putPackage(copy, name = platform, file = addon) {
  const home = join(copy, 'node_modules/@strongroom', name)
  const main = `bindings_node.${name}.node`
  mkdirSync(home, { recursive: true })
  put(file, join(home, main))
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: `@strongroom/${name}`, main }))
  return join(home, main)
}

/** A debug addon has 60 MB, so that it is linked where that is possible. */
function put(file, place) {
  try {
    linkSync(file, place)
  } catch {
    copyFileSync(file, place)
  }
}

/** Compiles a library from C, or says why that cannot be. */
export function compile(source, output, flags = []) {
  const undefinedIsFine = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const args = ['-shared', '-fPIC', ...undefinedIsFine, '-x', 'c', '-', '-x', 'none', '-o', output, ...flags]
  const { status, stderr, error } = spawnSync('cc', args, { input: source, encoding: 'utf8' })
  if (error) return `there is no C compiler: ${error.message}`
  assert.equal(status, 0, stderr)
  return undefined
}

/** How to start Node so that file modes count for it, or why that cannot be. */
export const otherUser = notRoot()

function notRoot() {
  if (process.platform === 'win32') return { skip: 'there are no modes' }
  // root reads everything, so that Node must run as another user.
  const NOBODY = 65534
  const spawn = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY, cwd: '/' } : {}
  const { status } = spawnSync(process.execPath, ['-e', ''], spawn)
  return status === 0 ? { skip: false, spawn } : { skip: 'no other user may run this Node' }
}
