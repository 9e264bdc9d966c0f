// For each installation that package managers leave without the addon, the loader's error names a remedy.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bareCopy, load, otherUser, platform, putLocal, putPackage } from './loading.mjs'
import { folder } from './temporary.mjs'

const own = `@strongroom/${platform}`
const foreign = platform.startsWith('darwin') ? 'win32-x64-msvc' : 'darwin-arm64'

/** Returns the remedy for a missing addon. */
function remedy(copy) {
  const { message, code } = load(copy)
  assert.equal(code, 'STRONGROOM_ADDON')
  const [, first, second, ...remedies] = message.split('\n')
  assert.match(first, /: the file does not exist$/)
  assert.equal(second, `  - ${own}: the package is not installed`)
  assert.equal(remedies.length, 1, message)
  return remedies[0]
}

const OMITTED = /^The addon is an optional dependency, .*--omit=optional.* npm install --include=optional$/

test('the error without a lock file says that optional dependencies were omitted', () => {
  assert.match(remedy(bareCopy()), OMITTED)
})

test('the error says that the package of another platform is installed', () => {
  const copy = bareCopy()
  putPackage(copy, foreign)
  const advice = remedy(copy)
  assert.match(advice, new RegExp(`^The addon for ${foreign} is installed: .* copied from one`))
  assert.match(advice, new RegExp(`npm install --no-save --force ${own}@\\d+\\.\\d+\\.\\d+$`))
})

// Windows and macOS on arm64 also run a Node for x64. process.arch is then x64, and the process loads only x64 addons.
for (const [os, arm64, x64] of [
  ['win32', 'win32-arm64-msvc', 'win32-x64-msvc'],
  ['darwin', 'darwin-arm64', 'darwin-x64'],
])
  for (const [cpu, loaded, installed, other] of [
    ['x64', x64, arm64, 'arm64'],
    ['arm64', arm64, x64, 'x64'],
  ])
    test(`a Node for ${os} and ${cpu} takes ${loaded}, and the error names ${installed}, which is installed`, () => {
      const copy = bareCopy()
      putPackage(copy, installed)
      const values = Object.entries({ platform: os, arch: cpu })
      const prelude = values.map(([key, value]) => `Object.defineProperty(process, '${key}', { value: '${value}' })`)
      const { message } = load(copy, { prelude: prelude.join('\n') })
      const [first, ...rest] = message.split('\n')
      const { version } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'))
      assert.equal(first, `strongroom could not load its addon on ${os}-${cpu}, Node ${process.versions.node}. Tried:`)
      assert.deepEqual(rest, [
        `  - ${join(copy, 'dist', `bindings_node.${loaded}.node`)}: the file does not exist`,
        `  - @strongroom/${loaded}: the package is not installed`,
        `The addon for ${installed} is installed, and this Node is for ${cpu}: node_modules was installed with a Node ` +
          `for ${other}, or on another system. Install again with this Node; to have both addons, run: npm install ` +
          `--no-save --force @strongroom/${loaded}@${version}`,
      ])
    })

test('the error says that the addon of another platform is beside the code', () => {
  const copy = bareCopy()
  renameSync(putLocal(copy), join(copy, 'dist', `bindings_node.${foreign}.node`))
  assert.match(remedy(copy), new RegExp(`^The addon for ${foreign} is installed: `))
})

test('the error says that the installed package lacks its addon', () => {
  const copy = bareCopy()
  rmSync(putPackage(copy))
  const { message, cause } = load(copy)
  assert.match(cause, /Cannot find (module|package) .*"main" entry/)
  assert.match(message, /\nThe package is installed without its addon: .*Install again\.$/)
})

/** Creates a project in which npm installs the package from local folders. */
function npmProject(flags, optionalDependencies) {
  const project = mkdtempSync(join(folder, 'project-'))
  const manifest = { name: 'project', version: '1.0.0', dependencies: { strongroom: 'file:strongroom' } }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifest, optionalDependencies }))
  renameSync(bareCopy(), join(project, 'strongroom'))
  mkdirSync(join(project, 'platform'))
  writeFileSync(join(project, 'platform/package.json'), JSON.stringify({ name: own, version: '0.1.0' }))
  const args = ['install', '--offline', '--no-audit', '--no-fund', '--install-links', ...flags]
  const shell = process.platform === 'win32'
  const { status, stderr, error } = spawnSync('npm', args, { cwd: project, encoding: 'utf8', shell })
  assert.ifError(error)
  assert.equal(status, 0, stderr)
  return { installed: join(project, 'node_modules/strongroom'), lock: join(project, 'package-lock.json') }
}

test('the error says that npm omitted optional dependencies on request', () => {
  const { installed, lock } = npmProject(['--omit=optional'], { [own]: 'file:platform' })
  assert.ok(readFileSync(lock, 'utf8').includes(`node_modules/${own}`))
  assert.ok(!existsSync(join(installed, '../@strongroom')))
  assert.match(remedy(installed), OMITTED)
})

test('the error says that the lock file does not list the package', () => {
  const { installed, lock } = npmProject([], {})
  assert.ok(remedy(installed).startsWith(`${lock} does not list ${own}: the lock file was written on another system`))
})

// `npm uninstall strongroom` does nothing for an alias, and `npm install strongroom` adds a second dependency.
test('the error about the lock file is the same for a package under an alias', () => {
  const { installed, lock } = npmProject([], {})
  const alias = join(installed, '../better-sqlite3')
  renameSync(installed, alias)
  assert.equal(
    remedy(alias),
    `${lock} does not list ${own}: the lock file was written on another system, or without optional dependencies. ` +
      'Remove the lock file and node_modules, and install again.',
  )
})

for (const [name, dependency, entry] of [
  [
    'package-lock.json',
    `"node_modules/strongroom": { "optionalDependencies": { "${own}": "0.1.0" } }`,
    `"node_modules/${own}": {`,
  ],
  ['yarn.lock', `  optionalDependencies:\n    "${own}" "0.1.0"`, `"${own}@0.1.0":`],
  ['pnpm-lock.yaml', `    optionalDependencies:\n      '${own}': 0.1.0`, `  '${own}@0.1.0':`],
  ['bun.lock', `"optionalDependencies": { "${own}": "0.1.0" }`, `"${own}": ["${own}@0.1.0", ""`],
]) {
  test(`${name}: the loader looks for an entry, not for a dependency`, () => {
    const project = mkdtempSync(join(folder, 'project-'))
    mkdirSync(join(project, 'node_modules'))
    const copy = bareCopy(join(project, 'node_modules'))
    // The loader must ignore the lock file of another project.
    writeFileSync(join(folder, name), '')
    writeFileSync(join(project, name), `${dependency}\n`)
    assert.ok(remedy(copy).startsWith(`${join(project, name)} does not list ${own}: `))
    writeFileSync(join(project, name), `${dependency}\n${entry}\n`)
    assert.match(remedy(copy), OMITTED)
  })
}

test('the error says that the code is in an Electron archive', () => {
  const archive = mkdtempSync(join(folder, 'app-'))
  mkdirSync(join(archive, 'app.asar'))
  assert.match(remedy(bareCopy(join(archive, 'app.asar'))), /^The system cannot load .*\.asar archive.*asarUnpack/)
})

// A fixed bug: Node reports a package as missing if the user may not enter its folder, so the loader's error blamed the
// lock file.
for (const [what, part] of [
  ["the user may not enter the packages' folder", '@strongroom'],
  ["the user may not enter the package's folder", own],
  ["the user may not read the package's package.json", `${own}/package.json`],
]) {
  test(`the error says that ${what}`, { skip: otherUser.skip }, () => {
    const copy = bareCopy()
    putPackage(copy)
    const path = join(copy, 'node_modules', part)
    const before = statSync(path).mode
    chmodSync(path, 0o000)
    const { message, cause, count } = load(copy, otherUser)
    chmodSync(path, before)
    assert.equal(count, 2)
    assert.equal(cause, `permission denied: ${path}`)
    assert.deepEqual(message.split('\n').slice(2), [
      `  - ${own}: permission denied: ${path}`,
      `This user may not read ${path}. Grant access: chmod -R a+rX ${path}`,
    ])
  })
}
