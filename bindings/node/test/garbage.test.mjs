import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshPath } from './temporary.mjs'

/** Runs a fixture in a process of its own, which must end by itself and without a word. */
function run(name, ...args) {
  const script = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, ['--expose-gc', script, ...args], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
}

// An iterator that a program let go of blocked every change of its database for good.
test('an iterator that was let go of ends when it is collected', () => run('abandoned.mjs', freshPath()))

test('databases, statements and iterators are collected in any order', () => run('garbage.mjs'))
