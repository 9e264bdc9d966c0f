// Runs one of the build steps that package.json names:
//
//   debug [--target TARGET]   compiles the addon with plain cargo into dist/bindings_node.PLATFORM.node
//   finish                    generates sources and compiles the TypeScript into dist/
//   test                      builds what the tests need: debug for this machine, then finish
//   clean                     removes dist/
//
// TARGET is a triple or a platform of targets.json. `cargo xtask dist` builds the release addon.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { platformsSource } from './platforms.mjs'
import { targets } from './targets.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const here = fileURLToPath(new URL('../', import.meta.url))
const dist = join(here, 'dist')

/** The remedy for a folder that belongs to another user. */
const OWN = 'give this user write permission, then run the command again'

const steps = {
  debug: addon,
  test,
  finish,
  clean: () => attempt(`cannot remove ${dist}`, OWN, () => rmSync(dist, { recursive: true, force: true })),
}

/** The flags of each step that takes flags. Each flag takes a value. */
const flags = { debug: ['--target'] }

const [step, ...rest] = process.argv.slice(2)
if (!Object.hasOwn(steps, step)) usage(step === undefined ? 'a step is missing' : `unknown step ${step}`)
steps[step](options(step, rest))

/** Parses the flags of a step. */
function options(step, args) {
  const parsed = {}
  for (let at = 0; at < args.length; at += 2) {
    const [name, value] = args.slice(at)
    if (!flags[step]?.includes(name)) usage(`${step} does not take ${name}`)
    if (name in parsed) usage(`${name} is given twice`)
    if (!value || value.startsWith('--')) usage(`${name} needs a value`)
    parsed[name] = value
  }
  return parsed
}

function usage(problem) {
  const known = Object.keys(steps).map((step) =>
    [step, ...(flags[step] ?? []).map((name) => `[${name} VALUE]`)].join(' '),
  )
  fail(`${problem}; usage: node scripts/build.mjs ${known.join(' | ')}`)
}

function addon({ '--target': name } = {}) {
  const target = targetOf(name ?? host())
  const triple = name ? ['--target', target.triple] : []
  const chosen = ['--locked', '-p', 'bindings_node', ...triple]
  const output = run('cargo', ['build', ...chosen, '--message-format=json-render-diagnostics'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  })
  const built = output
    .split('\n')
    .filter((line) => line.includes('"compiler-artifact"'))
    .map((line) => JSON.parse(line))
    .findLast(({ target }) => target.name === 'bindings_node' && target.kind.includes('cdylib'))
  if (!built) fail('cargo built no library for bindings_node')
  const library = built.filenames.find((file) => /\.(so|dylib|dll)$/.test(file))
  if (!library) fail(`cargo built no .so, .dylib or .dll: ${built.filenames.join(', ')}`)
  makeDist()
  const file = join(dist, `bindings_node.${target.platform}.node`)
  attempt(`cannot write ${file}`, `remove ${file}, or ${OWN}`, () => replace(file, library))
  console.log(`${file}`)
}

/** Replaces a file by renaming a copy over it: a process that has mapped the old file keeps the old file. */
function replace(file, source) {
  const temporary = `${file}.new`
  try {
    copyFileSync(source, temporary)
    renameSync(temporary, file)
  } catch (error) {
    // Removes the half-written file, which `cargo xtask pack` would refuse. The first error is more useful than an
    // error of the removal.
    try {
      rmSync(temporary, { recursive: true, force: true })
    } catch {}
    throw error
  }
}

function test() {
  addon()
  finish()
}

function finish() {
  makeDist()
  // A hermetic build may have the generated source but not targets.json.
  const table = join(here, 'ts/load/platforms.ts')
  if (existsSync(join(root, 'targets.json')))
    attempt(`cannot write ${table}`, OWN, () => update(table, platformsSource()))
  const [tsc, ...script] = compiler()
  attempt(`cannot clear ${dist}`, OWN, clear)
  run(
    tsc,
    [...script, '-p', join(here, 'tsconfig.json')],
    { cwd: here, stdio: 'inherit' },
    process.env.TSC ? 'TSC' : 'tsc',
  )
  // tsc emits declarations only for the sources that it compiles, so this file is copied.
  const declarations = join(dist, 'load/native.d.ts')
  attempt(`cannot write ${declarations}`, `remove ${declarations}, or ${OWN}`, () => {
    mkdirSync(dirname(declarations), { recursive: true })
    copyFileSync(join(here, 'ts/load/native.d.ts'), declarations)
  })
  attempt(`cannot make the programs in ${dist} executable`, OWN, makeExecutable)
}

/** Makes the scripts with a `#!` line executable. tsc does not, and a checkout has no npm that does. */
function makeExecutable() {
  for (const name of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'))) {
    const file = join(dist, name)
    if (readFileSync(file, 'utf8').startsWith('#!')) chmodSync(file, 0o755)
  }
}

/** Removes the output of earlier compilations, because their sources may have moved. Keeps the addons. */
function clear() {
  for (const name of readdirSync(dist).filter((name) => !name.endsWith('.node')))
    rmSync(join(dist, name), { recursive: true, force: true })
}

/**
 * Returns the command of TypeScript's compiler: the program that TSC names (Nix sets it), or else the script in
 * node_modules.
 */
function compiler() {
  if (process.env.TSC) return [process.env.TSC]
  const installed = () => createRequire(import.meta.url).resolve('typescript/bin/tsc')
  return [process.execPath, attempt('TypeScript is not installed', `run npm ci in ${here}`, installed)]
}

function makeDist() {
  attempt(`cannot create ${dist}`, `remove the file of that name, or ${OWN}`, () =>
    mkdirSync(dist, { recursive: true }),
  )
}

function update(file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
}

function host() {
  const version = run('rustc', ['-vV'], { encoding: 'utf8' })
  return /^host: (.*)$/m.exec(version)[1]
}

/** Returns the target with this triple or platform. */
function targetOf(name) {
  const all = targets()
  const target = all.find(({ triple, platform }) => name === triple || name === platform)
  const known = all.map(({ triple, platform }) => `\n  ${triple} or ${platform}`)
  return target ?? fail(`unknown target ${name}; targets.json has${known.join('')}`)
}

/** Runs a program, and returns the program's output. */
function run(program, args, options, name = program) {
  try {
    return execFileSync(program, args, options)
  } catch (error) {
    if (name === 'TSC' && error.code)
      fail(
        `cannot start ${program}, which the variable TSC names (${error.code}): set TSC to the path of TypeScript's ` +
          'tsc, version 5.9 or later',
      )
    if (error.code === 'ENOENT') fail(`${name} is not on PATH: install ${name}, then run the command again`)
    fail(`${name} failed (${error.signal ?? error.code ?? `exit code ${error.status}`}); its own message is above`)
  }
}

/** Returns the result of a step. If the step fails, prints one line and exits. */
function attempt(what, remedy, work) {
  try {
    return work()
  } catch (error) {
    fail(`${what} (${error.code ?? error.message}): ${remedy}`)
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
