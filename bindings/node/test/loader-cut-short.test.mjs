// Linux maps a truncated library beyond the end of its file, and kills the process with a bus error at the first access
// to the missing part. Without a check of its own, the loader could not report the cause. Every file in these tests is
// truncated after its first header, which the system itself checks.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { addon, addons, bareCopy, load, platform, putLocal, putPackage } from './loading.mjs'
import { folder } from './temporary.mjs'

const linux = process.platform === 'linux' ? false : 'only Linux kills the process'
const AGAIN = 'The download or a copy was incomplete. Install again.'

/** Replaces a file by a shorter copy, so that other links to the file stay complete. Returns the expected message. */
function cut(file, size) {
  const content = readFileSync(file)
  rmSync(file)
  writeFileSync(file, content.subarray(0, size))
  return new RegExp(`^${file} is truncated: the file has ${size} bytes, but its headers require \\d+$`)
}

// A debug addon may end with many megabytes of debug information, which is outside the headers that the loader reads.
for (const size of [64, 100, 600, 5000, 3_000_000]) {
  test(`the loader reports an addon beside the code if the addon is truncated to ${size} bytes`, {
    skip: linux,
  }, () => {
    const copy = bareCopy()
    const expected = cut(putLocal(copy), size)
    const { message, code, cause, count } = load(copy)
    assert.deepEqual({ code, count }, { code: 'STRONGROOM_ADDON', count: 2 })
    assert.match(cause, expected)
    assert.ok(message.endsWith(`the package is not installed\n${AGAIN}`), message)
  })
}

test('the loader reports a truncated addon in the package', { skip: linux }, () => {
  const copy = bareCopy()
  const expected = cut(putPackage(copy), 3_000_000)
  const { message, cause } = load(copy)
  assert.match(cause, expected)
  assert.ok(message.endsWith(`\n  - @strongroom/${platform}: ${cause}\n${AGAIN}`), message)
})

test('the loader loads a complete addon in the package if the addon beside the code is truncated', {
  skip: linux,
}, () => {
  const copy = bareCopy()
  cut(putLocal(copy), 3_000_000)
  putPackage(copy)
  assert.deepEqual(load(copy), { value: 42 })
})

test('the loader reports a truncated file that STRONGROOM_LIBRARY names', { skip: linux }, () => {
  const named = join(folder, 'short.node')
  writeFileSync(named, readFileSync(addon))
  const expected = cut(named, 3_000_000)
  const { message, cause } = load(bareCopy(), { env: { STRONGROOM_LIBRARY: named } })
  assert.match(cause, expected)
  assert.match(message, /headers require \d+\nSTRONGROOM_LIBRARY names this file, .* unset it\.$/)
})

// If the headers are unclear, the system's loader decides.
test('a complete addon, a path without a library, and a library with unclear headers are not reported as truncated', () => {
  const dist = dirname(createRequire(import.meta.url).resolve('strongroom'))
  const { cutShort } = createRequire(import.meta.url)(join(dist, 'load/cut-short.js'))
  assert.deepEqual(addons.map(cutShort), Array(addons.length).fill(undefined))
  for (const path of [undefined, '', dist, join(dist, 'index.js'), join(folder, 'nowhere'), '/dev/null'])
    assert.equal(cutShort(path), undefined)
  const bytes = readFileSync(addon).subarray(0, 4096)
  const odd = join(folder, 'odd.node')
  for (const change of [
    (header) => header.fill(0, 4, 5),
    (header) => header.writeUInt16LE(0, 54),
    (header) => header.writeUInt16LE(0, 56),
    (header) => header.fill(0xff, 32, 40),
  ]) {
    const header = Buffer.from(bytes)
    change(header)
    writeFileSync(odd, header)
    assert.equal(cutShort(odd), undefined)
  }
})
