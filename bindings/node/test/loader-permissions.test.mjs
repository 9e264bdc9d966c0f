// Deno throws if the loader asks for the libc without --allow-sys, or for STRONGROOM_LIBRARY without --allow-env. A
// fixed bug: `import` failed with that error, although the addon could be loaded.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { addon, bareCopy, load, platform, putLocal, putPackage } from './loading.mjs'

const REFUSAL = "Object.assign(new Error('Requires an access'), { name: 'NotCapable' })"
const noReport = `process.report.getReport = () => { throw ${REFUSAL} }`
// Only one variable is refused, because Node's console reads other variables.
const noEnvironment = `
  const refuse = (own, name) => { if (name === 'STRONGROOM_LIBRARY') throw ${REFUSAL}; return own[name] }
  Object.defineProperty(process, 'env', { value: new Proxy(process.env, { get: refuse }) })`
const noFiles = `
  const fs = require('node:fs')
  for (const name of ['existsSync', 'statSync', 'openSync', 'accessSync', 'readdirSync', 'readFileSync']) {
    const own = fs[name]
    fs[name] = (path, ...rest) => { if (/node_modules|dist.*\\.node$/.test(path)) throw ${REFUSAL}; return own(path, ...rest) }
  }`

const noProgram = `
  const files = require('node:fs')
  const open = files.openSync
  files.openSync = (path, ...rest) => { if (path === process.execPath) throw ${REFUSAL}; return open(path, ...rest) }`

for (const [what, prelude] of [
  ['the report', noReport],
  ['the environment', noEnvironment],
  ['the report and the environment', `${noReport}\n${noEnvironment}`],
]) {
  test(`the addon is loaded without access to ${what}`, () => {
    for (const put of [putLocal, putPackage]) {
      const copy = bareCopy()
      put(copy)
      assert.deepEqual(load(copy, { prelude }), { value: 42 })
    }
  })
}

test('the error names the libc if the loader may read only the report or only the program', () => {
  if (process.platform !== 'linux') return
  for (const prelude of [noReport, noProgram])
    assert.match(load(bareCopy(), { prelude }).message, / on linux-\w+ with (glibc|musl)/)
})

test('without the report and the program, the error names no libc, and the loader tries the packages for glibc and for musl', () => {
  const { message, code, count } = load(bareCopy(), { prelude: `${noReport}\n${noProgram}` })
  assert.equal(code, 'STRONGROOM_ADDON')
  const [first] = message.split('\n')
  if (process.platform !== 'linux') return assert.equal(count, 2)
  assert.equal(count, 4)
  assert.match(first, / on linux-\w+, Node /)
  for (const libc of ['gnu', 'musl'])
    assert.ok(
      message.includes(`  - @strongroom/linux-${process.arch}-${libc}: the package is not installed\n`),
      message,
    )
})

test('the loader throws its own error even if it may not read any file', () => {
  const copy = bareCopy()
  rmSync(putPackage(copy))
  const { message, code } = load(copy, { prelude: `${noFiles}\n${noReport}\n${noEnvironment}` })
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.ok(message.includes(`  - @strongroom/${platform}: `), message)
})

test('the error says that Deno may not load the addon', () => {
  const copy = bareCopy()
  putLocal(copy)
  const prelude = `process.dlopen = () => { throw ${REFUSAL} }`
  const { message, cause } = load(copy, { prelude })
  assert.equal(cause, 'Requires an access')
  assert.match(message, /\nDeno was started without the permission above\. .* --allow-ffi\.$/)
})

test('STRONGROOM_LIBRARY works without access to files and to the working directory', () => {
  const prelude = `${noFiles}\nprocess.cwd = () => { throw ${REFUSAL} }`
  assert.deepEqual(load(bareCopy(), { prelude, env: { STRONGROOM_LIBRARY: addon } }), { value: 42 })
  const { message, code } = load(bareCopy(), { prelude, env: { STRONGROOM_LIBRARY: 'nowhere.node' } })
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(message, /\n {2}- nowhere\.node: .*\nSTRONGROOM_LIBRARY names this file, and no other file is tried/)
})
