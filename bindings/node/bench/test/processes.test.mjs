import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runChild } from '../processes.mjs'

const request = {
  task: 'describe',
  configuration: { api: 'better-sqlite3', module: '/no/such/module' },
  file: '/nowhere',
}
const settings = { node: process.execPath, timeout: 60 }

test('a package that does not load is a failure with its stderr', async () => {
  const { failure } = await runChild(request, settings)
  assert.equal(failure.what, 'ended with exit code 1')
  assert.match(failure.stderr, /Cannot find module '\/no\/such\/module'/)
})

test('a process that takes too long is killed', async () => {
  const { failure } = await runChild(request, { ...settings, timeout: 0.001 })
  assert.equal(failure.what, 'did not end within 0.001 s')
})

test('a program that does not start is a failure', async () => {
  const { failure } = await runChild(request, { ...settings, node: '/no/such/node' })
  assert.match(failure.what, /^cannot start \/no\/such\/node: .*ENOENT/)
})

test('a crash is a failure', { skip: process.platform === 'win32' && 'Windows has no signals' }, async () => {
  const crash = ['sh', '-c', 'echo oh >&2; kill -SEGV $$']
  assert.deepEqual(await runChild(request, { ...settings, wrapper: crash }), {
    failure: { what: 'was killed by SIGSEGV', stderr: 'oh' },
  })
})

test('a process without an answer is a failure', async () => {
  const says = { ...settings, node: process.execPath, wrapper: [process.execPath, '-e', 'console.log("no answer")'] }
  assert.equal((await runChild(request, says)).failure.what, 'printed no answer')
})
