// Checks that the memory of the program `strongroom` holds each secret once while `check` works, and that no command leaves
// a copy in memory.
//
// The program once allocated the secrets with `Buffer.alloc`. V8 stores a small buffer inside its heap, and leaves a copy
// of the bytes there when an addon asks for their address.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'strongroom'
import { needlesOf, watch } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { folder, freshPath } from './temporary.mjs'

const fixture = fileURLToPath(new URL('fixtures/hold-command.mjs', import.meta.url))
const file = (name, content) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Each kind of file with a secret: its option, its content for 32 random bytes, and the secret. */
const KINDS = {
  'a passphrase': ['passphrase-file', (bytes) => `${bytes.toString('hex')}\n`, (bytes) => bytes.toString('hex')],
  'a raw key': ['key-file', (bytes) => bytes, (bytes) => bytes],
  'a raw key in digits': ['key-file', (bytes) => `${bytes.toString('hex')}\n`, (bytes) => bytes],
}

for (const [kind, [option, content, secret]] of Object.entries(KINDS))
  for (const [command, ...rest] of [['check'], ['backup', 'TARGET'], ['migrate', '--format', 'strongroom']])
    test(`${command}: no copy of ${kind} stays in memory`, async (t) => {
      const seed = randomInt(1, 2 ** 31)
      const bytes = Buffer.from([...bytesFrom(seed, 32)])
      const path = freshPath()
      const name = option === 'key-file' ? 'key' : 'passphrase'
      new Database(path, { [name]: secret(bytes) }).exec('CREATE TABLE t (a)').close()
      const secretFile = file(`${basename(path)}.secret`, content(bytes))
      const args = [
        command,
        path,
        ...rest.map((word) => word.replace('TARGET', `${path}.copy`)),
        `--${option}`,
        secretFile,
      ]
      const { skip, seen } = await watch([fixture, ...args], needlesOf(bytes))
      if (skip) return t.skip(skip)
      assert.deepEqual(seen['begins'], [])
      const whole = (needle) => seen['works'].filter((found) => found.startsWith(`all ${needle} `)).length
      const held = name === 'passphrase' ? 'digits' : 'bytes'
      const other = held === 'digits' ? 'bytes' : 'digits'
      assert.ok(whole(held) > 0, `the search does not find the secret of a running command: ${seen['works']}`)
      // The engine's copy and the connection of a conversion have copies of their own until the work ends.
      if (command === 'check') {
        assert.deepEqual([whole(held), whole(other)], [1, 0], `${seen['works']}`)
        assert.equal(seen['works'].length, 5, `${seen['works']}`)
      }
      assert.deepEqual(seen['ended'], [])
    })
