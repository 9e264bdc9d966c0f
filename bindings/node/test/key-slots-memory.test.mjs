// Checks that the memory of a process keeps no copy of the secrets of key slots, and that list() returns no key material.
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { needlesOf, watch } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { filled } from './strongroom-files.mjs'
import { bytesOfCode, keysOf } from './strongroom-keys.mjs'
import { freshPath } from './temporary.mjs'

const format = 'strongroom'
const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

/** Returns a secret and its halves, with names. */
function parts(name, secret) {
  const half = secret.length >> 1
  return {
    [`all of ${name}`]: secret,
    [`start of ${name}`]: secret.subarray(0, half),
    [`end of ${name}`]: secret.subarray(half),
  }
}

test('no copy of a recovery code and of the keys that it opens stays in memory', async (t) => {
  const db = filled({ key: randomBytes(32), format })
  const { code } = db.keys.add({ recovery: true })
  db.close()
  const file = freshPath()
  writeFileSync(
    file,
    Buffer.from(code).map((byte) => byte ^ 0x55),
  )
  const bytes = bytesOfCode(code)
  // The slot opens with these bytes, or decrypting the data key throws.
  const { wrapping, dataKey, pageKey } = keysOf(readFileSync(db.name).subarray(0, 4096), { recovery: bytes }, 1)
  const needles = {
    ...parts('text', Buffer.from(code)),
    ...parts('text without hyphens', Buffer.from(code.replaceAll('-', ''))),
    ...parts('lower case', Buffer.from(code.toLowerCase().replaceAll('-', ''))),
    ...parts('bytes', bytes),
    ...parts('wrapping key', wrapping),
    ...parts('data key', dataKey),
    ...parts('page key', pageKey),
  }
  const { skip, seen } = await watch([fixture('hold-recovery.mjs'), db.name, file], needles)
  if (skip) return t.skip(skip)
  const whole = (step, name) => seen[step].filter((found) => found.startsWith(`all of ${name} `)).length
  assert.equal(whole('filled', 'text'), 1, `the search does not find the caller's own array: ${seen['filled']}`)
  assert.equal(whole('opened', 'text'), 1, `${seen['opened']}`)
  assert.ok(whole('opened', 'data key') > 0, `the search does not find the data key of an open file: ${seen['opened']}`)
  assert.equal(whole('forgotten', 'text'), 0, `${seen['forgotten']}`)
  assert.deepEqual(seen['closed'], [])
})

test('no copy of the secret of an added or changed slot stays in memory', async (t) => {
  const seed = randomInt(1, 2 ** 30)
  const needles = Object.fromEntries(
    [0, 1, 2].flatMap((index) =>
      Object.entries(needlesOf(Buffer.from([...bytesFrom(seed + index, 32)]))).map(([name, bytes]) => [
        `secret ${index}, ${name}`,
        bytes,
      ]),
    ),
  )
  const { skip, seen } = await watch([fixture('hold-slots.mjs'), freshPath(), `${seed}`], needles)
  if (skip) return t.skip(skip)
  const whole = seen['filled'].filter((found) => found.includes(', all bytes '))
  assert.equal(whole.length, 3, `the search does not find the caller's own arrays: ${seen['filled']}`)
  assert.deepEqual(seen['forgotten'], [])
  assert.deepEqual(seen['closed'], [])
})

test('list() and the results of the other calls show no key material', () => {
  const key = randomBytes(32)
  const passphrase = 'correct horse battery staple'
  const db = filled({ key, format })
  const added = db.keys.add({ passphrase, label: 'a label' })
  const { code, ...paper } = db.keys.add({ recovery: true })
  const changed = db.keys.change(added.id, { key: key.map((byte) => byte ^ 1) })
  const removed = db.keys.remove(added.id)
  const shown = [db.keys.list(), added, paper, changed, removed]
  const { wrapping, dataKey, pageKey } = keysOf(readFileSync(db.name).subarray(0, 4096), { key })
  const secrets = [key, key.map((byte) => byte ^ 1), bytesOfCode(code), wrapping, dataKey, pageKey]
  for (const text of [JSON.stringify(shown), inspect(shown, { showHidden: true, depth: 9 }), inspect(db.keys)]) {
    for (const secret of secrets) {
      const bytes = Buffer.from(secret)
      for (const encoding of ['hex', 'base64', 'latin1']) assert.equal(text.includes(bytes.toString(encoding)), false)
    }
    for (const secret of [passphrase, code, ...code.split('-')]) assert.equal(text.includes(secret), false)
  }
  for (const slot of shown.flat()) assert.deepEqual(Object.keys(slot), ['id', 'kind', 'label', 'created', 'current'])
  db.close()
})
