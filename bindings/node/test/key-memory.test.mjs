// Checks that the memory of a process keeps no copy of a key, and no content of a closed database.
//
// V8 stores the bytes of a typed array of up to 64 bytes inside its own heap. If an addon requests the address of these
// bytes, V8 copies them out of the heap. The array then uses the copy, and the bytes in the heap stay until the process
// ends, even if the caller fills the array with zeros.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needlesOf, watch } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { freshPath } from './temporary.mjs'

function run(program, ...kind) {
  const seed = randomInt(1, 2 ** 31)
  const file = fileURLToPath(new URL(`fixtures/${program}`, import.meta.url))
  return watch([file, freshPath(), `${seed}`, ...kind], needlesOf(Buffer.from([...bytesFrom(seed, 32)])))
}

for (const kind of ['key as Uint8Array', 'key as Buffer', 'passphrase as Buffer']) {
  test(`no copy of a ${kind} stays in memory`, async (t) => {
    const { skip, seen } = await run('hold-key.mjs', kind)
    if (skip) return t.skip(skip)
    const whole = seen['filled'].filter((found) => found.startsWith('all bytes '))
    assert.equal(whole.length, 1, `the search does not find the caller's own array: ${seen['filled']}`)
    // When the constructor returns, the package's copies are gone, and SQLCipher's copy is masked.
    assert.equal(seen['opened'].length, seen['filled'].length, `${seen['opened']}`)
    assert.deepEqual(seen['forgotten'], [])
    assert.deepEqual(seen['closed'], [])
  })
}

test('cipher_memory_security wipes the content of a closed database', async (t) => {
  const { skip, seen } = await run('hold-row.mjs')
  if (skip) return t.skip(skip)
  assert.notDeepEqual(seen['open'], [], 'the search does not find the page in the cache')
  assert.deepEqual(seen['closed'], [])
})
