// Folders that scripts/build.mjs cannot write to. Each ended in Node's own stack, and one in a file that was left
// half-written, which `cargo xtask pack` refuses. The repository is a made one, and so are cargo and tsc.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { otherUser } from '../loading.mjs'
import { folder } from '../temporary.mjs'

const tree = fileURLToPath(new URL('../../', import.meta.url))
const platform = 'linux-x64-musl'
const triple = 'x86_64-unknown-linux-musl'
const skip = process.platform === 'win32' && 'the stand-in for cargo has a first line that Windows does not read'

function makeTree() {
  const root = mkdtempSync(join(folder, 'tree-'))
  const here = join(root, 'bindings/node')
  for (const name of ['scripts/build.mjs', 'scripts/platforms.mjs', 'ts/load/platforms.ts', 'ts/load/native.d.ts'])
    cpSync(join(tree, name), join(here, name))
  cpSync(join(tree, '../../targets.json'), join(root, 'targets.json'))
  const library = join(root, 'libbindings_node.so')
  writeFileSync(library, 'a library')
  const target = { name: 'bindings_node', kind: ['cdylib'] }
  const artifact = JSON.stringify({ reason: 'compiler-artifact', target, filenames: [library] })
  program(join(root, 'bin/cargo'), `#!${process.execPath}\nconsole.log(${JSON.stringify(artifact)})\n`)
  program(join(here, 'node_modules/typescript/bin/tsc'), "console.error('the words of tsc')\nprocess.exitCode = 2\n")
  return { root, here, dist: join(here, 'dist'), addon: join(here, 'dist', `bindings_node.${platform}.node`) }
}

function program(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o755 })
}

function build({ root, here }, args, options = {}) {
  const env = { ...process.env, PATH: [join(root, 'bin'), process.env.PATH].join(delimiter), ...options.env }
  const command = [join(here, 'scripts/build.mjs'), ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', ...options, env })
  return { status, stdout, stderr }
}

const ADDON = ['debug', '--target', triple]

/** That a step fails, and with nothing but these lines. */
function assertFails(made, args, lines, options) {
  assert.deepEqual(build(made, args, options), { status: 1, stdout: '', stderr: `${lines.join('\n')}\n` })
}

test('an addon replaces the one that is there', { skip }, () => {
  const made = makeTree()
  for (const _ of [1, 2]) assert.deepEqual(build(made, ADDON), { status: 0, stdout: `${made.addon}\n`, stderr: '' })
  assert.equal(readFileSync(made.addon, 'utf8'), 'a library')
  assert.deepEqual(readdirSync(made.dist), [`bindings_node.${platform}.node`])
})

test("a file in the place of dist's folder", { skip }, () => {
  const made = makeTree()
  writeFileSync(made.dist, '')
  const said =
    `${made.dist} cannot be made (EEXIST): remove what stands in its place, or let this user write there, ` +
    'and run this again'
  assertFails(made, ADDON, [said])
  assertFails(made, ['finish'], [said])
})

test('a folder in the place of the addon leaves no half-written file', { skip }, () => {
  const made = makeTree()
  mkdirSync(join(made.addon, 'folder'), { recursive: true })
  const said = `${made.addon} cannot be written (EISDIR): remove it or let this user write there, and run this again`
  assertFails(made, ADDON, [said])
  assert.deepEqual(readdirSync(made.dist), [`bindings_node.${platform}.node`])
})

test('a folder in the place of the file that is written first', { skip }, () => {
  const made = makeTree()
  mkdirSync(`${made.addon}.new`, { recursive: true })
  assert.match(build(made, ADDON).stderr, /^\S+\.node cannot be written \(\w+\): remove it or [^\n]*\n$/)
  assert.ok(!existsSync(`${made.addon}.new`))
})

test('a dist that may not be written to', { skip: skip || otherUser.skip }, () => {
  const made = makeTree()
  chmodSync(folder, 0o755)
  chmodSync(made.root, 0o755)
  mkdirSync(made.dist, { mode: 0o555 })
  const said = `${made.addon} cannot be written (EACCES): remove it or let this user write there, and run this again`
  assertFails(made, ADDON, [said], otherUser.spawn)
  writeFileSync(join(made.here, 'node_modules/typescript/bin/tsc'), '')
  const declarations = join(made.dist, 'load/native.d.ts')
  const other = `${declarations} cannot be written (EACCES): remove it or let this user write there, and run this again`
  assertFails(made, ['finish'], [other], otherUser.spawn)
  writeFileSync(join(made.dist, 'index.js'), '')
  const { status, stderr } = build(made, ['clean'], otherUser.spawn)
  assert.equal(status, 1)
  assert.equal(stderr, `${made.dist} cannot be removed (EACCES): let this user write there, and run this again\n`)
})

test('a compiler that fails, or is not there', { skip }, () => {
  const made = makeTree()
  assertFails(made, ['finish'], ['the words of tsc', 'tsc failed (exit code 2); its own words are above'])
  writeFileSync(join(made.root, 'bin/cargo'), `#!${process.execPath}\nprocess.exitCode = 101\n`)
  assertFails(made, ADDON, ['cargo failed (exit code 101); its own words are above'])
  const env = { PATH: join(made.here, 'scripts') }
  assertFails(made, ADDON, ['cargo is not on PATH: install it, and run this again'], { env })
})

// nixpkgs' TypeScript 7 is a native program without a folder in node_modules.
test('a compiler that TSC names is called as a program', { skip }, () => {
  const made = makeTree()
  const tsc = join(made.root, 'bin/tsc')
  program(tsc, '#!/bin/sh\necho "$@"\n')
  const { status, stdout } = build(made, ['finish'], { env: { TSC: tsc } })
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `-p ${join(made.here, 'tsconfig.json')}\n` })
  for (const [named, code] of [
    [join(made.root, 'no-tsc'), 'ENOENT'],
    [made.root, 'EACCES'],
  ]) {
    const said = `TSC names ${named}, which cannot be started (${code}): name TypeScript's tsc, version 5.9 or later`
    assertFails(made, ['finish'], [said], { env: { TSC: named } })
  }
})
