// Tests the program `strongroom` whose standard output fails: a closed pipe, a closed descriptor, and a full disk.
//
// `keys change --new-recovery` once wrote the slot and then printed the code. If printing failed, the code was lost, and
// a file with only this slot was locked for ever.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { CODE, made, opens, RIGHT, slots } from './cli-keys.mjs'
import { program, strongroom } from './command-line.mjs'
import { folder } from './temporary.mjs'

/** The option that reads the passphrase `right` from standard input. */
const INPUT = ['--passphrase-file', '-']
const input = 'right\n'

/** Makes a file that node loads before the program. */
function preload(name, source) {
  writeFileSync(join(folder, name), source)
  return { NODE_OPTIONS: `--require "${join(folder, name)}"` }
}

const full = preload(
  'full.cjs',
  `const error = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  process.stdout.write = (text, done) => { done(error); return false }`,
)

/** Runs the program with a pipe as its standard output, whose reader ends before the program gets its passphrase. */
async function withoutReader(args) {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder })
  child.stdout.destroy()
  await once(child.stdout, 'close')
  child.stdin.end(input)
  const [[status], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)])
  return { status, stderr }
}

/** Runs the program with a file as its standard output that is open only for reading. */
function readOnly(args) {
  const file = openSync(program, 'r')
  try {
    const stdio = ['pipe', file, 'pipe']
    return spawnSync(process.execPath, [program, ...args], { cwd: folder, input, stdio, encoding: 'utf8' })
  } finally {
    closeSync(file)
  }
}

/** The ways in which standard output fails, each with its reason. */
const FAILURES = {
  'a closed pipe': [withoutReader, 'the program that reads it has ended'],
  'a descriptor that is not open for writing': [readOnly, 'it is closed, or not open for writing'],
  'a full disk': [(args) => strongroom(args, { input, env: full }), 'the disk is full'],
}

for (const [what, [run, reason]] of Object.entries(FAILURES)) {
  const message = `strongroom: cannot write standard output: ${reason}`

  test(`${what}: change --new-recovery leaves the old secret in place`, async () => {
    const name = made()
    const before = readFileSync(join(folder, name))
    const [{ id }] = slots(name)
    const { status, stderr } = await run(['keys', name, 'change', id, '--new-recovery', ...INPUT])
    assert.equal(status, 1, stderr)
    assert.ok(stderr.endsWith(`\n${message} (STRONGROOM_OUTPUT)\n`), stderr)
    assert.ok(before.equals(readFileSync(join(folder, name))))
    assert.ok(opens(name, { passphrase: 'right' }))
  })

  test(`${what}: add --new-recovery removes the slot again`, async () => {
    const name = made()
    const before = slots(name)
    const { status, stderr } = await run(['keys', name, 'add', '--new-recovery', ...INPUT])
    assert.equal(status, 1, stderr)
    const end = `\n${message}; the new key slot has been removed again (STRONGROOM_OUTPUT)\n`
    assert.ok(stderr.endsWith(end), stderr)
    assert.deepEqual(slots(name), before)
  })

  for (const json of [[], ['--json']])
    test(`${what}: each command ends with 1 and one error ${json}`, async () => {
      const commands = (name) => [
        ['check', name],
        ['backup', name, `${name}.copy`],
        ['keys', name],
        ['keys', name, 'add', '--new-key-file', 'raw.key'],
        ['keys', name, 'rotate', '--drop-others'],
        ['migrate', name, '--format', 'sqlcipher'],
        ['decrypt', name],
      ]
      const name = made()
      for (const args of commands(name)) {
        const { status, stderr } = await run([...args, ...INPUT, ...json])
        assert.equal(status, 1, `${args}: ${stderr}`)
        const done = args.length === 2 && args[0] === 'keys' ? '' : '; the work itself is done'
        if (json.length === 0) assert.equal(stderr, `${message}${done} (STRONGROOM_OUTPUT)\n`)
        else {
          const { code, exitCode } = JSON.parse(stderr).error
          assert.deepEqual({ code, exitCode }, { code: 'STRONGROOM_OUTPUT', exitCode: 1 })
        }
      }
      assert.ok(opens(name, {}))
    })
}

test('a full disk: the help and the version end with 1', () => {
  for (const args of [['--help'], ['help', 'keys'], ['--version']]) {
    const { status, stderr } = strongroom(args, { env: full })
    const expected = 'strongroom: cannot write standard output: the disk is full (STRONGROOM_OUTPUT)\n'
    assert.deepEqual({ status, stderr }, { status: 1, stderr: expected })
  }
})

test('a recovery code is not made if standard output is closed or is the null device', {
  skip: process.platform === 'win32' && 'Windows has no /dev/null',
}, () => {
  const name = made()
  const before = readFileSync(join(folder, name))
  const [{ id }] = slots(name)
  for (const stdout of ['>&-', '>/dev/null'])
    for (const args of [['add'], ['change', id]]) {
      const line = `"$@" ${stdout}`
      const command = [process.execPath, program, 'keys', name, ...args, '--new-recovery', ...RIGHT]
      const { status, stderr } = spawnSync('bash', ['-c', line, 'bash', ...command], { cwd: folder, encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, /^strongroom: cannot write standard output: it is closed, or is the null device, so nobody /)
    }
  assert.ok(before.equals(readFileSync(join(folder, name))))
})

test('change --new-recovery prints the code, and with --json the slot, before the change', () => {
  const name = made()
  const [{ id }] = slots(name)
  // The preload looks at the file when the program prints the code.
  const env = preload(
    'watch.cjs',
    `const { readFileSync } = require('node:fs')
    const before = readFileSync(${JSON.stringify(join(folder, name))})
    const { write } = process.stdout
    process.stdout.write = function (...args) {
      if (!before.equals(readFileSync(${JSON.stringify(join(folder, name))}))) process.exit(9)
      return write.apply(this, args)
    }`,
  )
  const first = strongroom(['keys', name, 'change', id, '--new-recovery', '--label', 'paper', ...INPUT], { input, env })
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, CODE)
  assert.match(first.stderr, new RegExp(`\nChanged a key slot of ${name}: ${id} \\(recovery code, "paper"\\)\\.\n`))
  writeFileSync(join(folder, 'paper'), first.stdout)
  const args = ['keys', name, 'change', id, '--recovery-file', 'paper', '--new-recovery', '--json']
  const { stdout } = strongroom(args, { env })
  const { code, ...slot } = JSON.parse(stdout)
  assert.deepEqual(slot, { file: name, id, kind: 'recovery', label: 'paper', current: true })
  assert.deepEqual([opens(name, { recovery: code }), opens(name, { recovery: first.stdout })], [true, false])
})

test('change --new-recovery that fails says that the printed code opens nothing', () => {
  const name = made()
  const [{ id }] = slots(name)
  const args = ['keys', name, 'change', id, '--new-recovery', '--label', 'x'.repeat(95), ...RIGHT, '--json']
  const { status, stdout, stderr } = strongroom(args)
  const { code, message } = JSON.parse(stderr).error
  assert.deepEqual([status, code], [1, 'STRONGROOM_SLOT_LABEL'])
  assert.match(message, /; the printed recovery code opens nothing$/)
  assert.ok(!opens(name, { recovery: JSON.parse(stdout).code }))
})

// The preload writes the slot, and then throws the error of a header with only one whole copy.
const unverified = preload(
  'unverified.cjs',
  `const { addon } = require(${JSON.stringify(
    createRequire(import.meta.url)
      .resolve('strongroom')
      .replace(/index\.js$/, 'load/loader.js'),
  )})
  const { prototype } = addon().NativeDatabase
  for (const name of ['addKeySlot', 'changeKeySlot']) {
    const original = prototype[name]
    prototype[name] = function (...args) {
      original.apply(this, args)
      throw Object.assign(new Error('one copy'), { code: 'strongroom:STRONGROOM_HEADER_UNVERIFIED' })
    }
  }`,
)

test('a header with one whole copy: the code is printed, and the exit code is 1', () => {
  const name = made()
  const [{ id }] = slots(name)
  const added = strongroom(['keys', name, 'add', '--new-recovery', ...RIGHT], { env: unverified })
  assert.equal(added.status, 1)
  assert.match(added.stderr, /^strongroom: one copy \(STRONGROOM_HEADER_UNVERIFIED\)\n/)
  assert.ok(opens(name, { recovery: added.stdout }))
  const changed = strongroom(['keys', name, 'change', id, '--new-recovery', ...RIGHT], { env: unverified })
  assert.equal(changed.status, 1)
  assert.match(changed.stderr, /one copy; keep the printed recovery code and the old secret until one of them has /)
  assert.ok(opens(name, { recovery: changed.stdout }))
})
