import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { addon, bareCopy, load, platform, putLocal, putPackage } from './loading.mjs'

/** Changes the package.json of a copy. */
function edit(copy, changes) {
  const file = join(copy, 'package.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }))
}

test('an addon beside the code is loaded', () => {
  const copy = bareCopy()
  putLocal(copy)
  assert.deepEqual(load(copy), { value: 42 })
})

test('an addon in the package of the platform is loaded', () => {
  const copy = bareCopy()
  putPackage(copy)
  assert.deepEqual(load(copy), { value: 42 })
})

test('the loader tries the addon beside the code first, then the package', () => {
  const copy = bareCopy()
  const home = dirname(putPackage(copy))
  const manifest = readFileSync(join(home, 'package.json'))
  writeFileSync(join(home, 'package.json'), '{ "main": "tried.js" }')
  writeFileSync(join(home, 'tried.js'), "throw console.log('the package was tried')")
  const local = putLocal(copy)
  assert.deepEqual(load(copy), { value: 42 })
  writeFileSync(join(home, 'package.json'), manifest)
  rmSync(local)
  writeFileSync(local, 'no library at all')
  assert.deepEqual(load(copy), { value: 42 })
})

test('without an addon, the error names the system and Node, and lists every place', () => {
  const copy = bareCopy()
  const { message, code, cause, count } = load(copy)
  const [first, ...tried] = message.split('\n')
  const { platform: os, arch, report, version } = process
  const { glibcVersionRuntime: glibc } = report.getReport().header
  const libc = os === 'linux' ? ` with ${glibc ? `glibc ${glibc}` : 'musl'}` : ''
  assert.equal(first, `strongroom could not load its addon on ${os}-${arch}${libc}, Node ${version.slice(1)}. Tried:`)
  assert.deepEqual(tried.slice(0, 2), [
    `  - ${join(copy, 'dist', `bindings_node.${platform}.node`)}: the file does not exist`,
    `  - @strongroom/${platform}: the package is not installed`,
  ])
  assert.equal(tried.length, 3)
  assert.deepEqual({ code, cause, count }, { code: 'STRONGROOM_ADDON', cause: 'the file does not exist', count: 2 })
})

test("the error's cause is a file that does not load, not the missing package", () => {
  const copy = bareCopy()
  writeFileSync(join(copy, 'dist', `bindings_node.${platform}.node`), 'no library at all')
  const { message, code, cause, count } = load(copy)
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.equal(count, 2)
  assert.doesNotMatch(cause, /does not exist|not installed/)
  assert.ok(message.includes(cause))
  assert.match(message, /the package is not installed\nThe file is not a library/)
})

test('an addon of another version is refused in each place', () => {
  const copy = bareCopy()
  const { version } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'))
  putLocal(copy)
  putPackage(copy)
  edit(copy, { version: '99.0.0' })
  const { message, count } = load(copy)
  assert.equal(count, 2)
  const refusals = message.match(
    new RegExp(`: the addon has version ${version}, and this package has version 99.0.0\n`, 'g'),
  )
  assert.equal(refusals.length, 2)
  assert.match(message, /must have the same version\. .*npm install strongroom@99\.0\.0/)
  // Two places with the same cause share one remedy.
  assert.equal(message.split('\n').length, 4)
})

test('the error names a platform without an addon, and lists the platforms that have one', () => {
  const prelude = "Object.defineProperty(process, 'arch', { value: 'mips' })"
  const { message, code } = load(bareCopy(), { prelude })
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(message, /no addon for \w+-mips.*, Node .*linux-x64-gnu.*\n.*STRONGROOM_LIBRARY/)
})

test('a Node that is too old is refused before anything is loaded', () => {
  const copy = bareCopy()
  edit(copy, { engines: { node: '>=99.1' } })
  const { message, code } = load(copy, { env: { STRONGROOM_LIBRARY: addon } })
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(message, /needs Node 99\.1 or later, and this system is .*, Node \d+\.\d+\.\d+\. Update Node\.$/)
})

test('the oldest supported version of Node is accepted', () => {
  const copy = bareCopy()
  edit(copy, { engines: { node: `>=${process.versions.node}` } })
  assert.deepEqual(load(copy, { env: { STRONGROOM_LIBRARY: addon } }), { value: 42 })
})

test('the error says that Node was started without addons', () => {
  const copy = bareCopy()
  putLocal(copy)
  putPackage(copy)
  const { message, cause } = load(copy, { flags: ['--no-addons'] })
  assert.match(cause, /loading addons is disabled/)
  assert.match(message, /--no-addons.*--allow-addons/)
})
