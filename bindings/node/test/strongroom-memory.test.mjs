// Checks that the memory of a process keeps no copy of the key and the data key of a closed file in the Strongroom format.
//
// strongroom-keys.mjs decrypts the data key from the header, so that the search knows its bytes.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needlesOf, watch } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { keysOf } from './strongroom-keys.mjs'
import { freshPath } from './temporary.mjs'

const program = fileURLToPath(new URL('fixtures/hold-key.mjs', import.meta.url))
/** The header up to the end of the first key slot. */
const LENGTH = 64 + 256

for (const kind of ['key as Uint8Array', 'key as Buffer', 'passphrase as Buffer'])
  test(`no copy of a ${kind} and of the keys of its Strongroom file stays in memory`, async (t) => {
    const [path, seed] = [freshPath(), randomInt(1, 2 ** 31)]
    const secret = Buffer.from([...bytesFrom(seed, 32)])
    const needles = () => {
      const found = needlesOf(secret)
      if (!kind.startsWith('key') || !existsSync(path)) return found
      const { dataKey, pageKey } = keysOf(readFileSync(path).subarray(0, LENGTH), { key: secret })
      for (const [name, bytes] of Object.entries(needlesOf(dataKey))) found[`data key, ${name}`] = bytes
      for (const [name, bytes] of Object.entries(needlesOf(pageKey))) found[`page key, ${name}`] = bytes
      return found
    }
    const { skip, seen } = await watch([program, path, `${seed}`, kind, 'strongroom'], needles)
    if (skip) return t.skip(skip)
    const whole = seen['filled'].filter((found) => found.startsWith('all bytes '))
    assert.equal(whole.length, 1, `the search does not find the caller's own array: ${seen['filled']}`)
    const wanted = kind.startsWith('key') ? ['data key, all bytes ', 'page key, all bytes '] : []
    for (const name of wanted)
      assert.ok(
        seen['opened'].some((found) => found.startsWith(name)),
        `the search finds no ${name}while the file is open: ${seen['opened']}`,
      )
    assert.deepEqual(seen['closed'], [])
  })
