import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { folder } from './temporary.mjs'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))
const documentation = general(readFileSync(join(dist, '../TROUBLESHOOTING.md'), 'utf8'))

/** The addon files, in the package or in the packages of the platforms. */
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

/** Copies the package without its addons. */
export function bareCopy(parent = folder) {
  // Some tests run Node as another user, who must be able to enter the folder.
  chmodSync(folder, 0o755)
  const copy = mkdtempSync(join(parent, 'package-'))
  chmodSync(copy, 0o755)
  cpSync(join(dist, '../package.json'), join(copy, 'package.json'))
  cpSync(dist, join(copy, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.node') })
  return copy
}

/** Loads the package in a process of its own. Returns the value or the error. */
export function load(copy, { env = {}, prelude = '', flags = [], node = process.execPath, spawn = {} } = {}) {
  const entry = JSON.stringify(join(copy, 'dist/index.js'))
  return run(node, [...flags, '-e', `${prelude}\n${report(`require(${entry})`)}`], { ...spawn, env })
}

/** Returns a script that loads the package, and prints the value or the error. */
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

/** Runs a command with a script of `report`, and checks that TROUBLESHOOTING.md shows its error. */
export function run(command, args, { env, ...spawn }) {
  const { STRONGROOM_LIBRARY: _, ...inherited } = process.env
  const options = { encoding: 'utf8', ...spawn, env: { ...inherited, ...env } }
  const { stdout, stderr, error, signal } = spawnSync(command, args, options)
  assert.ifError(error)
  assert.deepEqual({ stderr, signal }, { stderr: '', signal: null })
  const outcome = JSON.parse(stdout)
  if (outcome.message) assertDocumented(outcome.message)
  return outcome
}

/** Checks that TROUBLESHOOTING.md has each line of a message, except for the lines that quote the system's errors. */
function assertDocumented(message) {
  for (const line of message.split('\n').filter((line) => !line.startsWith('  - ')))
    assert.ok(documentation.includes(general(line)), `TROUBLESHOOTING.md does not show: ${line}`)
}

/** Replaces the parts of a message that differ between systems. */
function general(text) {
  return text
    .replaceAll(/(?:[A-Z]:\\|\/)[^\s,]*[\w-]/g, '<path>')
    .replaceAll(/(linux|darwin|win32)-[\w+]+(-(gnu|musl|msvc))?( with (glibc|musl)( [\d.]*\d)?)?/g, '<system>')
    .replaceAll(/ --(os|cpu|libc)=\w+/g, '')
    .replaceAll(/\d+(\.\d+)*/g, '<number>')
}

/** The addon that this process loads, and its platform. */
export const addon = addons.find((file) => load(bareCopy(), { env: { STRONGROOM_LIBRARY: file } }).value === 42)
assert.ok(addon, `none of the package's addons loads here: ${addons}`)
export const platform = basename(addon).split('.')[1]

/** Puts an addon beside the package's code. */
export function putLocal(copy, file = addon) {
  const place = join(copy, 'dist', basename(addon))
  put(file, place)
  return place
}

/** Puts an addon into the package of a platform, where npm installs it. */
export function putPackage(copy, name = platform, file = addon) {
  const home = join(copy, 'node_modules/@strongroom', name)
  const main = `bindings_node.${name}.node`
  mkdirSync(home, { recursive: true })
  put(file, join(home, main))
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: `@strongroom/${name}`, main }))
  return join(home, main)
}

/** Links a file, or copies the file if linking fails: a debug addon is 60 MB, so copies are slow. */
function put(file, place) {
  try {
    linkSync(file, place)
  } catch {
    copyFileSync(file, place)
  }
}

/** Compiles a library from C. Returns the reason to skip the test if no compiler is installed. */
export function compile(source, output, flags = []) {
  const undefinedIsFine = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const args = ['-shared', '-fPIC', ...undefinedIsFine, '-x', 'c', '-', '-x', 'none', '-o', output, ...flags]
  const { status, stderr, error } = spawnSync('cc', args, { input: source, encoding: 'utf8' })
  if (error) return `no C compiler: ${error.message}`
  assert.equal(status, 0, stderr)
  return undefined
}

/** Options that start Node as a user who is bound by file modes, or the reason to skip the test. */
export const otherUser = notRoot()

function notRoot() {
  if (process.platform === 'win32') return { skip: 'Windows has no file modes' }
  // Root may read everything, so Node must run as another user.
  const NOBODY = 65534
  const spawn = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY, cwd: '/' } : {}
  const runs = (node) => spawnSync(node, ['-e', ''], spawn).status === 0
  if (runs(process.execPath)) return { skip: false, node: process.execPath, spawn }
  // Other users cannot enter root's home directory, so they cannot run a Node in it.
  const node = join(folder, basename(process.execPath))
  chmodSync(folder, 0o755)
  copyFileSync(process.execPath, node)
  return runs(node) ? { skip: false, node, spawn } : { skip: 'another user may not run this Node' }
}
