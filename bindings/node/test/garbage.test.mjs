import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import './database.mjs'
import { freshPath } from './temporary.mjs'

/** Runs a fixture in a process of its own, which must exit with 0 and print no error. */
function run(name, ...args) {
  const script = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, ['--expose-gc', script, ...args], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
}

// A fixed bug: an abandoned iterator blocked every later write to its database.
test('an abandoned iterator ends when it is collected', () => run('abandoned.mjs', freshPath()))

test('databases, statements and iterators are collected in any order', () => run('garbage.mjs'))
