// Checks that the memory of a process keeps no copy of the key and the data key of a closed file in the Strongroom format.
//
// The data key is decrypted here from the header, as docs/format.md describes, so that the search knows its bytes.
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, hkdfSync, randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needlesOf, watch } from './process-memory.mjs'
import { bytesFrom } from './secret-bytes.mjs'
import { freshPath } from './temporary.mjs'

const program = fileURLToPath(new URL('fixtures/hold-key.mjs', import.meta.url))
/** The header up to the end of the first key slot. */
const LENGTH = 64 + 256

/** Decrypts with XAES-256-GCM (C2SP.org/XAES-256-GCM). */
function xaesOpen(key, nonce, sealed, tag, associated) {
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const zero = BigInt(`0x${aes.update(Buffer.alloc(16)).toString('hex')}`)
  const doubled = (zero << 1n) ^ (zero >> 127n === 1n ? 0x87n : 0n)
  const mask = Buffer.from(BigInt.asUintN(128, doubled).toString(16).padStart(32, '0'), 'hex')
  const block = (counter) => {
    const input = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)])
    return aes.update(input.map((byte, index) => byte ^ mask[index]))
  }
  const gcm = createDecipheriv('aes-256-gcm', Buffer.concat([block(1), block(2)]), nonce.subarray(12))
  gcm.setAAD(associated).setAuthTag(tag)
  return Buffer.concat([gcm.update(sealed), gcm.final()])
}

/** Returns the data key of a file that a raw key opens, and the key of its pages. */
function dataKeys(header, rawKey) {
  const [slot, file] = [header.subarray(64), header.subarray(24, 40)]
  const info = 'Strongroom 1 raw key'
  const wrapping = Buffer.from(hkdfSync('sha256', rawKey, slot.subarray(24, 40), info, 32))
  const associated = [Buffer.from('Strongroom 1 data key'), header.subarray(16, 20), file, slot.subarray(0, 40)]
  const [nonce, sealed, tag] = [slot.subarray(40, 64), slot.subarray(64, 96), slot.subarray(96, 112)]
  const dataKey = xaesOpen(wrapping, nonce, sealed, tag, Buffer.concat(associated))
  return { dataKey, pageKey: Buffer.from(hkdfSync('sha256', dataKey, file, 'Strongroom 1 pages', 32)) }
}

for (const kind of ['key as Uint8Array', 'key as Buffer', 'passphrase as Buffer'])
  test(`no copy of a ${kind} and of the keys of its Strongroom file stays in memory`, async (t) => {
    const [path, seed] = [freshPath(), randomInt(1, 2 ** 31)]
    const secret = Buffer.from([...bytesFrom(seed, 32)])
    const needles = () => {
      const found = needlesOf(secret)
      if (!kind.startsWith('key') || !existsSync(path)) return found
      const { dataKey, pageKey } = dataKeys(readFileSync(path).subarray(0, LENGTH), secret)
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
