// STRONGROOM_LIBRARY names a file that the user chose, so the loader's usual remedies do not apply. A fixed bug: the
// error advised the user to remove a folder, to reinstall strongroom because of the system's libm, and to renew the
// lock file because of a version.
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addon, bareCopy, compile, load, otherUser, platform, putLocal, run } from './loading.mjs'
import { folder } from './temporary.mjs'

const LAST = 'STRONGROOM_LIBRARY names this file, and no other file is tried: correct STRONGROOM_LIBRARY, or unset it.'

/** Returns parts of the loader's message about such a file: the system's error, and the lines after it. */
function refusal(file, { copy = bareCopy(), ...options } = {}) {
  const { message, code, cause, count } = load(copy, { ...options, env: { STRONGROOM_LIBRARY: file } })
  assert.deepEqual({ code, count }, { code: 'STRONGROOM_ADDON', count: 1 })
  const [, tried, ...lines] = message.split('\n')
  assert.equal(tried, `  - ${file}: ${cause}`)
  return { cause, lines }
}

test('STRONGROOM_LIBRARY loads a file of any name, and no other file is tried', () => {
  const copy = bareCopy()
  assert.deepEqual(load(copy, { env: { STRONGROOM_LIBRARY: addon } }), { value: 42 })
  const named = join(copy, 'library.bin')
  cpSync(addon, named)
  assert.deepEqual(load(copy, { env: { STRONGROOM_LIBRARY: named } }), { value: 42 })
  putLocal(copy)
  assert.deepEqual(refusal(join(copy, 'nowhere.node'), { copy }), { cause: 'the file does not exist', lines: [LAST] })
})

test('STRONGROOM_LIBRARY is relative to the working directory', () => {
  const copy = bareCopy()
  putLocal(copy)
  const relative = `bindings_node.${platform}.node`
  const spawn = { cwd: join(copy, 'dist') }
  assert.deepEqual(load(bareCopy(), { env: { STRONGROOM_LIBRARY: relative }, spawn }), { value: 42 })
})

test('STRONGROOM_LIBRARY may not name a folder', () => {
  const named = join(folder, 'folder.node')
  mkdirSync(named)
  assert.deepEqual(refusal(named).lines, ['The path is a folder.', LAST])
})

for (const [what, content] of [
  ['an empty file', ''],
  ['a text file', 'no library at all\n'.repeat(10)],
]) {
  test(`STRONGROOM_LIBRARY may not name ${what}`, () => {
    const named = join(folder, `${what}.node`)
    writeFileSync(named, content)
    assert.deepEqual(refusal(named).lines, ['The file is not a library.', LAST])
  })
}

test('STRONGROOM_LIBRARY may not name a library that is not an addon', (context) => {
  const library = join(folder, 'library.node')
  const skip = compile('int answer(void) { return 42; }', library)
  if (skip) return context.skip(skip)
  assert.deepEqual(refusal(library).lines, ['The file is a library, but not an addon for Node.', LAST])
})

test('STRONGROOM_LIBRARY may not name the addon of another project', (context) => {
  const library = join(folder, 'other.node')
  const skip = compile('void *napi_register_module_v1(void *env, void *exports) { return exports; }', library)
  if (skip) return context.skip(skip)
  assert.deepEqual(refusal(library), { cause: "the file is not strongroom's addon", lines: [LAST] })
})

test('STRONGROOM_LIBRARY may not name an addon of another version', () => {
  const copy = bareCopy()
  const file = join(copy, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...manifest, version: '99.0.0' }))
  const { cause, lines } = refusal(addon, { copy })
  assert.equal(cause, `the addon has version ${manifest.version}, and this package has version 99.0.0`)
  assert.deepEqual(lines, ['strongroom and its addon must have the same version.', LAST])
})

test('STRONGROOM_LIBRARY may not name a library for another system', () => {
  const header = Buffer.alloc(128)
  header.write('MZ')
  header.writeUInt32LE(64, 0x3c)
  header.write('PE\0\0', 64)
  header.writeUInt16LE(0xaa64, 68)
  const named = join(folder, 'foreign.node')
  writeFileSync(named, header)
  const { lines } = refusal(named)
  assert.match(lines[0], /^The file is for win32-arm64, and this system is [^.]*\.$/)
  assert.deepEqual(lines.slice(1), [LAST])
})

test('the error names the file of STRONGROOM_LIBRARY, or its folder, if the user may not read it', {
  skip: otherUser.skip,
}, () => {
  const copy = bareCopy()
  const closed = mkdtempSync(join(copy, 'closed-'))
  const named = join(closed, 'strongroom.node')
  copyFileSync(addon, named)
  chmodSync(closed, 0o755)
  chmodSync(named, 0o000)
  assert.deepEqual(refusal(named, otherUser).lines, [`This user may not read ${named}.`, LAST])
  chmodSync(closed, 0o000)
  const { cause, lines } = refusal(named, otherUser)
  chmodSync(closed, 0o755)
  assert.equal(cause, `permission denied: ${closed}`)
  assert.deepEqual(lines, [`This user may not read ${closed}.`, LAST])
})

test('STRONGROOM_LIBRARY may not name a file in an Electron archive', () => {
  const archive = join(folder, 'app.asar')
  writeFileSync(archive, readFileSync(addon).subarray(0, 100))
  const { cause, lines } = refusal(join(archive, 'strongroom.node'))
  assert.equal(cause, 'the file does not exist')
  assert.match(lines[0], /^The system cannot load .*asarUnpack/)
  assert.deepEqual(lines.slice(1), [LAST])
})

test('a process that may not load addons gets no advice about the file', () => {
  const { lines } = refusal(addon, { flags: ['--no-addons'] })
  assert.equal(lines.length, 1)
  assert.match(lines[0], /--no-addons.*Remove --no-addons, or add --allow-addons\.$/)
})

// A fixed bug: a bundle without the addon failed when it loaded the package, so `nativeBinding` could not help.
test('the package loads without an addon, and the first use throws the error', () => {
  const copy = bareCopy()
  const script = `
    const Database = require(${JSON.stringify(join(copy, 'dist/index.js'))})
    const open = (options) => new Database(':memory:', options).prepare('SELECT 42').pluck().get()
    const uses = [() => open(), () => Database.versions, () => open()]
    const codes = uses.map((use) => { try { return use() } catch ({ code }) { return code } })
    console.log(JSON.stringify([open({ nativeBinding: ${JSON.stringify(addon)} }), ...codes]))`
  const refused = 'STRONGROOM_ADDON'
  assert.deepEqual(run(process.execPath, ['-e', script], {}), [42, refused, refused, refused])
})
