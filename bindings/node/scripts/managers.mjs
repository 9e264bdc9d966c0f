// The package managers with which published.mjs installs a version. The versions are the ones that the suite "package
// managers" tests.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Refused } from './sealed.mjs'

const PINS = fileURLToPath(new URL('../../../crates/release/lab/consumers/', import.meta.url))

/** The pinned packages of pnpm, Bun and Deno for Linux on x64, and the names of these packages for this machine. */
const PLATFORM_PACKAGES = {
  '@pnpm/exe.linux-x64': `@pnpm/exe.${process.platform}-${process.arch}`,
  '@oven/bun-linux-x64-baseline': bun(process.platform, process.arch),
  '@deno/linux-x64-glibc': `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`,
}

/** Pinned packages that install nothing into a project: the registry of the tests. */
const UNUSED = ['verdaccio']

function bun(platform, arch) {
  const system = platform === 'win32' ? 'windows' : platform
  return `@oven/bun-${system}-${arch === 'arm64' ? 'aarch64' : `${arch}${platform === 'darwin' ? '' : '-baseline'}`}`
}

/** Installs the package managers into a folder. npm checks each package that the lock file has against its hash. */
export function tools(folder, npm) {
  const text = readFileSync(join(PINS, 'package.json'), 'utf8')
  const { dependencies, overrides, ...pins } = JSON.parse(text)
  const version = (name) => {
    if (dependencies[name] === undefined)
      throw new Refused(`${name} is not in ${PINS}package.json: change managers.mjs`)
    return dependencies[name]
  }
  for (const name of [...Object.keys(PLATFORM_PACKAGES), 'yarn', '@yarnpkg/cli-dist']) version(name)
  const used = Object.entries(dependencies)
    .filter(([name]) => !UNUSED.includes(name))
    .map(([name, pinned]) => [PLATFORM_PACKAGES[name] ?? name, pinned])
  mkdirSync(folder, { recursive: true })
  const manifest = { ...pins, dependencies: Object.fromEntries(used) }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(join(folder, 'package-lock.json'), readFileSync(join(PINS, 'package-lock.json')))
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  const path = (name, file) => join(folder, 'node_modules', PLATFORM_PACKAGES[name] ?? name, file)
  return { version, path }
}

/**
 * Returns the managers: the program that adds the package with its arguments, the settings in the project, and the program
 * that runs the example with its arguments. No manager runs a script of a package, or refuses a package because it is new.
 */
export function managers({ version, path }) {
  const exe = process.platform === 'win32' ? '.exe' : ''
  const node = process.execPath
  const pnpm = path('@pnpm/exe.linux-x64', `pnpm${exe}`)
  const bun = path('@oven/bun-linux-x64-baseline', `bin/bun${exe}`)
  const deno = path('@deno/linux-x64-glibc', `deno${exe}`)
  const yarn4 = path('@yarnpkg/cli-dist', 'bin/yarn.js')
  const yarnSettings = (linker) => ({
    '.yarnrc.yml': `nodeLinker: ${linker}\nenableScripts: false\nenableTelemetry: false\nnpmMinimalAgeGate: 0\n`,
    'yarn.lock': '',
  })
  const byNode = { runner: node, run: [] }
  return [
    {
      name: 'npm',
      version: `of Node ${process.versions.node}`,
      command: 'npm',
      add: ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-online'],
      ...byNode,
    },
    {
      name: 'pnpm',
      version: version('@pnpm/exe.linux-x64'),
      command: pnpm,
      add: ['add', '--ignore-scripts'],
      settings: { 'pnpm-workspace.yaml': 'minimumReleaseAge: 0\n' },
      ...byNode,
    },
    {
      name: 'Yarn 1',
      version: version('yarn'),
      command: node,
      add: [path('yarn', 'bin/yarn.js'), 'add', '--ignore-scripts', '--non-interactive'],
      ...byNode,
    },
    {
      name: 'Yarn 4',
      version: version('@yarnpkg/cli-dist'),
      command: node,
      add: [yarn4, 'add'],
      settings: yarnSettings('node-modules'),
      ...byNode,
    },
    {
      name: "Yarn 4 Plug'n'Play",
      version: version('@yarnpkg/cli-dist'),
      command: node,
      add: [yarn4, 'add'],
      settings: yarnSettings('pnp'),
      runner: node,
      run: [yarn4, 'node'],
    },
    {
      name: 'Bun',
      version: version('@oven/bun-linux-x64-baseline'),
      command: bun,
      add: ['add', '--ignore-scripts'],
      runner: bun,
      run: ['run'],
    },
    {
      name: 'Deno',
      version: version('@deno/linux-x64-glibc'),
      command: deno,
      add: ['add', '--minimum-dependency-age=0'],
      prefix: 'npm:',
      runner: deno,
      run: ['run', '--allow-all'],
    },
  ]
}
