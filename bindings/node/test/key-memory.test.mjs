// A key of the caller's, and what a process keeps of it.
//
// V8 stores the bytes of a typed array of up to 64 bytes inside its own heap. An addon that asks for their address makes
// V8 copy them to memory outside; the array then uses that memory, and the bytes in the heap stayed there after the
// caller had filled the array with zeros, for as long as the process ran.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { occurrences, unreadable } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { freshPath } from './temporary.mjs'

const child = fileURLToPath(new URL('fixtures/hold-key.mjs', import.meta.url))

for (const kind of ['key as Uint8Array', 'key as Buffer', 'passphrase as Buffer']) {
  test(`no copy of a ${kind} is left`, {
    skip: process.platform !== 'linux' && 'only Linux shows memory',
  }, async (t) => {
    const seed = randomInt(1, 2 ** 31)
    const needles = needlesOf(Buffer.from([...bytesFrom(seed, 32)]))
    const running = spawn(process.execPath, ['--expose-gc', child, kind, freshPath(), `${seed}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const exit = once(running, 'exit')
    const seen = {}
    let skip = false
    running.stdout.setEncoding('utf8')
    for await (const line of running.stdout) {
      skip ||= unreadable(running.pid)
      if (!skip) seen[line.trim()] = occurrences(running.pid, needles)
      running.stdin.write('\n')
    }
    assert.deepEqual(await exit, [0, null])
    if (skip) return t.skip(skip)

    const whole = (step) => seen[step].filter((found) => found.startsWith('bytes 0 to 32 '))
    assert.equal(whole('filled').length, 1, `the search finds the caller's own array: ${seen['filled']}`)
    // Our copies are gone when the constructor returns, and SQLCipher's is masked.
    assert.deepEqual(seen['opened'].length, seen['filled'].length, `${seen['opened']}`)
    assert.deepEqual(seen['forgotten'], [])
    assert.deepEqual(seen['closed'], [])
  })
}

/** The secret and the quarters of it, as bytes and as hexadecimal digits, because memory that is used again holds parts. */
function needlesOf(secret) {
  const hex = Buffer.from(secret.toString('hex'))
  const needles = { 'bytes 0 to 32': secret, 'digits 0 to 64': hex }
  for (let start = 0; start < 32; start += 8) {
    needles[`bytes ${start} to ${start + 8}`] = secret.subarray(start, start + 8)
    needles[`digits ${2 * start} to ${2 * start + 16}`] = hex.subarray(2 * start, 2 * start + 16)
  }
  return needles
}
