// Installs the packages of package.json. sqlite3 and @journeyapps/sqlcipher have no addon in their npm package for this
// Node, so node-gyp compiles them here.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../install.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const COMPILED = ['sqlite3', '@journeyapps/sqlcipher']
const known = new Map()

/** Returns whether a configuration's package is installed, and installs it if it is missing. */
export function installed(configuration, log) {
  const { module, own } = configuration
  if (own) return true
  if (!known.has(module)) known.set(module, module in dependencies ? install(module, log) : benchs(configuration, log))
  return known.get(module)
}

/** Installs a package of the other measurements. */
function benchs(configuration, log) {
  const missing = installPackages([configuration], process.execPath)
  if (missing) log(missing)
  return missing === undefined
}

function install(module, log) {
  const folder = new URL(`node_modules/${module}/`, import.meta.url)
  if (!existsSync(folder)) run(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], log)
  if (!existsSync(folder)) return false
  if (!COMPILED.includes(module) || existsSync(new URL('build/Release/node_sqlite3.node', folder))) return true
  log(`compiling ${module}`)
  // npm puts its own node-gyp on PATH.
  return run(['explore', module, '--', 'node-gyp', 'rebuild'], log)
}

function run(args, log) {
  const { status, error } = spawnSync('npm', args, {
    cwd: here,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) log(`npm ${args.join(' ')} failed in ${here} (${error?.code ?? `exit code ${status}`})`)
  return status === 0
}
