// Reads the facts for the comparison in the root README from the packages themselves, and prints the facts.
//
//   node bench/comparison/comparison.mjs [--node-audit FILE] [RUNTIME...]
//
// RUNTIME is a Node, Bun or Deno; the default is the Node that runs this program. `npm run bench` installs the
// packages. Strongroom is the build in dist/: targets.json lists its platforms, and cargo xtask dist audits it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const PROBE = fileURLToPath(new URL('probe.cjs', import.meta.url))
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url))
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

const { values, positionals } = parseArgs({
  options: { 'node-audit': { type: 'string' } },
  allowPositionals: true,
})
const runtimes = positionals.length > 0 ? positionals : [process.execPath]

const packages = [
  ...['better-sqlite3', 'better-sqlite3-multiple-ciphers', '@signalapp/sqlcipher'].map((name) => ({
    name,
    folder: join(MODULES, name),
  })),
  { name: 'node:sqlite', request: 'node:sqlite' },
  { name: 'strongroom', request: fileURLToPath(new URL('../..', import.meta.url)) },
]
for (const { name, folder, request } of packages) {
  console.log(name)
  if (folder) describe(folder)
  for (const runtime of runtimes) console.log(`  ${runtime}: ${probe(runtime, name, request ?? folder)}`)
}

/** Prints the version, the install scripts and the addons of a package. */
function describe(folder) {
  if (!existsSync(folder)) throw new Error(`${folder} does not exist: run npm run bench once to install the package`)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const scripts = INSTALL_SCRIPTS.filter((script) => script in (manifest.scripts ?? {}))
  const addons = readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.node'))
    .sort()
  console.log(`  version: ${manifest.version}; engines.node: ${manifest.engines?.node ?? 'none'}`)
  console.log(`  install scripts: ${scripts.map((script) => manifest.scripts[script]).join(', ') || 'none'}`)
  console.log(`  prebuilt addons: ${addons.join(', ') || 'none'}`)
  if (values['node-audit']) {
    const { stdout } = spawnSync(values['node-audit'], [folder], { encoding: 'utf8' })
    console.log(`  node-audit: ${stdout.split('\n\n')[0].replace(/\s+/g, ' ')}`)
  }
}

/** Returns the answer of the probe, or the reason why it failed. */
function probe(runtime, name, request) {
  const folder = mkdtempSync(join(tmpdir(), 'comparison-'))
  const options = basename(runtime).startsWith('deno') ? ['run', '--allow-all'] : []
  const { stdout, stderr, status, signal } = spawnSync(runtime, [...options, PROBE, name, request, folder], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  rmSync(folder, { recursive: true })
  if (status === 0) return stdout.trim()
  const error = stderr.split('\n').find((line) => /error|cannot|no such/i.test(line))
  return signal ? `ends with ${signal}` : `fails: ${error?.trim() ?? `exit code ${status}`}`
}
