import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { folder } from './temporary.mjs'

const dist = dirname(createRequire(import.meta.url).resolve('strongroom'))
const addons = readdirSync(dist).filter((name) => name.endsWith('.node'))

/** A copy of the package, without its addons. */
function bareCopy() {
  const copy = mkdtempSync(join(folder, 'package-'))
  cpSync(join(dist, '../package.json'), join(copy, 'package.json'))
  cpSync(dist, join(copy, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.node') })
  return copy
}

/** Loads the package in a process of its own, and shows what came of it. */
function load(copy, env = {}, prelude = '') {
  const script = `${prelude}
    try {
      const Database = require(${JSON.stringify(join(copy, 'dist/index.js'))})
      console.log(JSON.stringify({ value: new Database().prepare('SELECT 42').pluck().get() }))
    } catch (error) {
      const { message, code, cause, errors } = error
      console.log(JSON.stringify({ message, code, cause: cause?.message, count: errors?.length }))
    }`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

/** The one of the addons that this process loads. */
const working = addons.find((name) => load(bareCopy(), { STRONGROOM_LIBRARY: join(dist, name) }).value === 42)

test('this package has an addon that loads here', () => {
  assert.ok(working, `none of ${addons}`)
})

test('an addon beside the code is loaded', () => {
  const copy = bareCopy()
  cpSync(join(dist, working), join(copy, 'dist', working))
  assert.deepEqual(load(copy), { value: 42 })
})

test('one in the package of the platform is loaded', () => {
  const copy = bareCopy()
  const platform = working.split('.')[1]
  const home = join(copy, 'node_modules/@strongroom', platform)
  mkdirSync(home, { recursive: true })
  cpSync(join(dist, working), join(home, working))
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: `@strongroom/${platform}`, main: working }))
  assert.deepEqual(load(copy), { value: 42 })
  rmSync(join(home, working))
  const { message, cause } = load(copy)
  assert.match(message, new RegExp(`@strongroom/${platform}`))
  assert.match(`${message}${cause}`, /Cannot find module|not installed/)
})

test('without any, the error lists every place and says what to do', () => {
  const { message, code, count } = load(bareCopy())
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.equal(count, 2)
  assert.match(message, /bindings_node\..*\.node: there is no such file/)
  assert.match(message, /@strongroom\/.*: it is not installed/)
  assert.match(message, /npm install --include=optional/)
})

test('a file that does not load is the cause, not the package that is missing as well', () => {
  const copy = bareCopy()
  writeFileSync(join(copy, 'dist', working), 'no library at all')
  const { message, code, cause, count } = load(copy)
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.equal(count, 2)
  assert.doesNotMatch(cause, /not installed/)
  assert.ok(message.includes(cause))
})

test('STRONGROOM_LIBRARY is loaded instead, and nothing after it', () => {
  const copy = bareCopy()
  assert.deepEqual(load(copy, { STRONGROOM_LIBRARY: join(dist, working) }), { value: 42 })
  cpSync(join(dist, working), join(copy, 'dist', working))
  const { message, count } = load(copy, { STRONGROOM_LIBRARY: join(copy, 'nowhere.node') })
  assert.equal(count, 1)
  assert.match(message, /nowhere\.node: there is no such file/)
  assert.match(message, /STRONGROOM_LIBRARY/)
})

test('an addon of another version is refused', () => {
  const copy = bareCopy()
  cpSync(join(dist, working), join(copy, 'dist', working))
  writeFileSync(join(copy, 'package.json'), JSON.stringify({ name: 'strongroom', version: '99.0.0' }))
  assert.match(load(copy).message, /of version .*, this package of version 99\.0\.0/)
})

test('a platform without an addon is named, with those that have one', () => {
  const pretend = "Object.defineProperty(process, 'arch', { value: 'mips' })"
  const { message, code } = load(bareCopy(), {}, pretend)
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(message, /no addon for .* mips.*linux-x64-gnu/)
})
