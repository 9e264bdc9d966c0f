// Tests the flags of scripts/build.mjs, and its errors for folders without write permission. For such a folder, the
// script must print a one-line error and leave no half-written file, which `cargo xtask pack` would refuse. The tests
// use a small repository, and stubs for cargo and tsc.
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
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { otherUser } from '../loading.mjs'
import { folder } from '../temporary.mjs'

const sources = fileURLToPath(new URL('../../', import.meta.url))
const platform = 'linux-x64-musl'
const triple = 'x86_64-unknown-linux-musl'
const skip = process.platform === 'win32' && 'Windows cannot run the stub for cargo'

function makeTree() {
  const root = mkdtempSync(join(folder, 'tree-'))
  const here = join(root, 'bindings/node')
  for (const name of ['build', 'platforms', 'targets'].map((name) => `scripts/${name}.mjs`))
    cpSync(join(sources, name), join(here, name))
  for (const name of ['ts/load/platforms.ts', 'ts/load/native.d.ts']) cpSync(join(sources, name), join(here, name))
  cpSync(join(sources, '../../targets.json'), join(root, 'targets.json'))
  const library = join(root, 'libbindings_node.so')
  writeFileSync(library, 'a library')
  const target = { name: 'bindings_node', kind: ['cdylib'] }
  const artifact = JSON.stringify({ reason: 'compiler-artifact', target, filenames: [library] })
  program(join(root, 'bin/cargo'), `#!${process.execPath}\nconsole.log(${JSON.stringify(artifact)})\n`)
  program(join(here, 'node_modules/typescript/bin/tsc'), "console.error('the message of tsc')\nprocess.exitCode = 2\n")
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

/** Checks that a step fails and prints exactly these lines. */
function assertFails(tree, args, lines, options) {
  assert.deepEqual(build(tree, args, options), { status: 1, stdout: '', stderr: `${lines.join('\n')}\n` })
}

test('a build replaces the existing addon', { skip }, () => {
  const tree = makeTree()
  for (const _ of [1, 2]) assert.deepEqual(build(tree, ADDON), { status: 0, stdout: `${tree.addon}\n`, stderr: '' })
  assert.equal(readFileSync(tree.addon, 'utf8'), 'a library')
  assert.deepEqual(readdirSync(tree.dist), [`bindings_node.${platform}.node`])
})

test('--target takes a triple or a platform', { skip }, () => {
  const tree = makeTree()
  const arguments_ = join(tree.root, 'arguments')
  const cargo = join(tree.root, 'bin/cargo')
  const script = readFileSync(cargo, 'utf8')
  writeFileSync(cargo, `${script}require('node:fs').writeFileSync('${arguments_}', process.argv.slice(2).join(' '))\n`)
  for (const name of [triple, platform]) {
    assert.deepEqual(build(tree, ['debug', '--target', name]), { status: 0, stdout: `${tree.addon}\n`, stderr: '' })
    assert.ok(readFileSync(arguments_, 'utf8').includes(` --target ${triple} `), name)
    writeFileSync(arguments_, '')
  }
  const { status, stderr } = build(tree, ['debug', '--target', 'linux-x64'])
  assert.equal(status, 1)
  assert.ok(stderr.startsWith('unknown target linux-x64; targets.json has\n'), stderr)
  assert.ok(stderr.includes(`\n  ${triple} or ${platform}\n`), stderr)
})

// A fixed bug: an unknown flag was ignored, so `test -- --trget x` built the addon for this machine, and succeeded.
test('a flag that the step does not take is a usage error', () => {
  const tree = makeTree()
  const usage = 'usage: node scripts/build.mjs debug [--target VALUE] | test | finish | clean'
  for (const [args, problem] of [
    [['debug', '--trget', triple], 'debug does not take --trget'],
    [['debug', triple], `debug does not take ${triple}`],
    [['debug', '--target'], '--target needs a value'],
    [['debug', '--target', '--target'], '--target needs a value'],
    [[...ADDON, '--target', platform], '--target is given twice'],
    [[...ADDON, '--release'], 'debug does not take --release'],
    [['test', '--trget', 'x'], 'test does not take --trget'],
    [['test', '--target', triple], 'test does not take --target'],
    [['finish', '--target', triple], 'finish does not take --target'],
    [['clean', '--help'], 'clean does not take --help'],
    [['build'], 'unknown step build'],
    [[], 'a step is missing'],
  ])
    assertFails(tree, args, [`${problem}; ${usage}`])
  assert.deepEqual(existsSync(tree.dist), false)
})

test('a file in place of the folder dist is reported', { skip }, () => {
  const tree = makeTree()
  writeFileSync(tree.dist, '')
  const message = `cannot create ${tree.dist} (EEXIST): remove the file of that name, or give this user write permission, then run the command again`
  assertFails(tree, ADDON, [message])
  assertFails(tree, ['finish'], [message])
})

test('a folder in place of the addon is reported, and no half-written file remains', { skip }, () => {
  const tree = makeTree()
  mkdirSync(join(tree.addon, 'folder'), { recursive: true })
  const message = `cannot write ${tree.addon} (EISDIR): remove ${tree.addon}, or give this user write permission, then run the command again`
  assertFails(tree, ADDON, [message])
  assert.deepEqual(readdirSync(tree.dist), [`bindings_node.${platform}.node`])
})

test('a folder in place of the temporary file is reported and removed', { skip }, () => {
  const tree = makeTree()
  mkdirSync(`${tree.addon}.new`, { recursive: true })
  assert.match(build(tree, ADDON).stderr, /^cannot write \S+\.node \(\w+\): remove \S+\.node, or [^\n]*\n$/)
  assert.ok(!existsSync(`${tree.addon}.new`))
})

// A fixed bug: the output of a moved source file stayed in dist/, and `cargo xtask pack` refused it.
test('finish removes the output of earlier compilations, and keeps the addons', { skip }, () => {
  const tree = makeTree()
  writeFileSync(join(tree.here, 'node_modules/typescript/bin/tsc'), '')
  mkdirSync(join(tree.dist, 'old'), { recursive: true })
  for (const file of [tree.addon, join(tree.dist, 'loader.js'), join(tree.dist, 'old/loader.js')])
    writeFileSync(file, '')
  assert.equal(build(tree, ['finish']).status, 0)
  assert.deepEqual(readdirSync(tree.dist).sort(), [basename(tree.addon), 'load'])
})

test('a folder dist without write permission is reported', { skip: skip || otherUser.skip }, () => {
  const tree = makeTree()
  chmodSync(folder, 0o755)
  chmodSync(tree.root, 0o755)
  mkdirSync(tree.dist, { mode: 0o555 })
  const message = `cannot write ${tree.addon} (EACCES): remove ${tree.addon}, or give this user write permission, then run the command again`
  assertFails(tree, ADDON, [message], otherUser.spawn)
  writeFileSync(join(tree.here, 'node_modules/typescript/bin/tsc'), '')
  const declarations = join(tree.dist, 'load/native.d.ts')
  const other = `cannot write ${declarations} (EACCES): remove ${declarations}, or give this user write permission, then run the command again`
  assertFails(tree, ['finish'], [other], otherUser.spawn)
  writeFileSync(join(tree.dist, 'index.js'), '')
  const { status, stderr } = build(tree, ['clean'], otherUser.spawn)
  assert.equal(status, 1)
  assert.equal(
    stderr,
    `cannot remove ${tree.dist} (EACCES): give this user write permission, then run the command again\n`,
  )
})

test('a compiler that fails or is missing is reported', { skip }, () => {
  const tree = makeTree()
  assertFails(tree, ['finish'], ['the message of tsc', 'tsc failed (exit code 2); its own message is above'])
  writeFileSync(join(tree.root, 'bin/cargo'), `#!${process.execPath}\nprocess.exitCode = 101\n`)
  assertFails(tree, ADDON, ['cargo failed (exit code 101); its own message is above'])
  const env = { PATH: join(tree.here, 'scripts') }
  assertFails(tree, ADDON, ['cargo is not on PATH: install cargo, then run the command again'], { env })
})

// nixpkgs' TypeScript 7 is a native program, without a folder in node_modules.
test('the compiler that TSC names runs as a program', { skip }, () => {
  const tree = makeTree()
  const tsc = join(tree.root, 'bin/tsc')
  program(tsc, '#!/bin/sh\necho "$@"\n')
  const { status, stdout } = build(tree, ['finish'], { env: { TSC: tsc } })
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `-p ${join(tree.here, 'tsconfig.json')}\n` })
  for (const [named, code] of [
    [join(tree.root, 'no-tsc'), 'ENOENT'],
    [tree.root, 'EACCES'],
  ]) {
    const message = `cannot start ${named}, which the variable TSC names (${code}): set TSC to the path of TypeScript's tsc, version 5.9 or later`
    assertFails(tree, ['finish'], [message], { env: { TSC: named } })
  }
})

test('finish makes the scripts with a #! line executable, and no others', { skip }, () => {
  const tree = makeTree()
  const script = join(tree.dist, 'cli/program.js')
  const compile = `
    const { mkdirSync, writeFileSync } = require('node:fs')
    mkdirSync(${JSON.stringify(dirname(script))}, { recursive: true })
    writeFileSync(${JSON.stringify(script)}, '#!/usr/bin/env node\\n')
    writeFileSync(${JSON.stringify(join(tree.dist, 'index.js'))}, '// #!')`
  program(join(tree.here, 'node_modules/typescript/bin/tsc'), compile)
  assert.equal(build(tree, ['finish']).status, 0)
  assert.equal(statSync(script).mode & 0o777, 0o755)
  assert.equal(statSync(join(tree.dist, 'index.js')).mode & 0o111, 0)
})
