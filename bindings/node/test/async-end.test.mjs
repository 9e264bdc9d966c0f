// Ends programs in the middle of a call: by process.exit, by an exception, and by terminating a worker.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'strongroom'
import { freshPath } from './temporary.mjs'

const key = Buffer.alloc(32, 5)
const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

/** Runs a fixture in a process of its own, and returns how it ended. */
function run(name, args = [], flags = []) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, fixture(name), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  return { status, signal, stdout, stderr }
}

const STATES = [
  'an idle database',
  'a query',
  'queries on all connections',
  'a write',
  'an open transaction',
  'an iterator',
  'a snapshot',
  'waiting calls',
  'a backup',
  'a conversion',
  'a check',
  'close()',
  'another open()',
]

for (const state of STATES)
  for (const way of ['process.exit', 'exception', 'terminate'])
    for (const journal of ['wal', 'delete'])
      test(`a database survives the end of its program: ${way} during ${state}, ${journal}`, () => {
        const folder = freshPath()
        mkdirSync(folder)
        const path = join(folder, 'used.db')
        const made = new Database(path, { key, format: 'strongroom' })
        made.pragma(`journal_mode = ${journal}`)
        made.exec('CREATE TABLE t (a)')
        made.close()
        const ended = run('async-end.mjs', [folder, state, way])
        assert.deepEqual(ended, { status: 7, signal: null, stdout: '', stderr: '' })
        const db = new Database(path, { key })
        assert.equal(db.prepare('SELECT count(*) FROM t WHERE a >= 0').pluck().get(), 20)
        assert.equal(readFileSync(join(folder, 'committed'), 'utf8'), '20')
        assert.equal(db.prepare('SELECT count(*) FROM t WHERE a < 0').pluck().get(), 0)
        assert.deepEqual(db.check().problems, [])
        db.close()
      })

test('a process with an open database exits when nothing is left to do, and not before', () => {
  const { status, signal, stdout, stderr } = run('async-exit.mjs', [freshPath()])
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
  assert.deepEqual(stdout.trim().split('\n'), [
    'opened',
    'all 1000',
    'iterated 1000',
    'committed',
    'backed up',
    'nothing left',
  ])
})

test('1,000 cycles of open and close leak no thread, no handle and no memory', () => {
  const { status, signal, stderr } = run('async-cycles.mjs', [freshPath(), '1000'], ['--expose-gc'])
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

test('databases that are collected without close() end their threads', () => {
  const { status, signal, stderr } = run('async-abandoned.mjs', [freshPath()], ['--expose-gc'])
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

test('100 workers each open a database, and end with it open', () => {
  const { status, signal, stdout, stderr } = run('async-workers.mjs', [freshPath()])
  assert.deepEqual({ status, signal, stdout, stderr }, { status: 0, signal: null, stdout: '100\n', stderr: '' })
})
