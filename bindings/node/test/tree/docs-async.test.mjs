// Checks that docs/async.md describes every method, property, option and error code of the asynchronous class.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AsyncSnapshot, AsyncTransaction, open } from 'strongroom/async'
import { headings, page } from './docs.mjs'

const text = page('async.md')
const titles = headings(text)
const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

/** Returns the names of the properties of an object, also inherited ones. Symbols are private, except asyncDispose. */
function namesOf(object) {
  const names = new Set()
  for (let holder = object; holder !== Object.prototype; holder = Object.getPrototypeOf(holder))
    for (const key of Reflect.ownKeys(holder)) {
      if (key === Symbol.asyncDispose) names.add('Symbol.asyncDispose')
      else if (typeof key === 'string' && key !== 'constructor') names.add(key)
    }
  return [...names].sort()
}

/** Asserts that the page has a heading for each name, and no heading for a name that does not exist. */
function described(object, names) {
  const pattern = new RegExp(`^${object}(?:\\.(\\w+)|\\[(Symbol\\.\\w+)\\])`)
  const found = titles.map((title) => pattern.exec(title)).filter(Boolean)
  assert.deepEqual(found.map(([, name, symbol]) => name ?? symbol).sort(), names)
}

test('docs/async.md has a heading for every method and property of a database and a statement', async () => {
  const db = await open()
  described('db', namesOf(db))
  described('statement', namesOf(await db.prepare('SELECT 1')))
  await db.close()
})

test('docs/async.md lists the methods of transactions and snapshots', () => {
  const listed = (start) =>
    [...new RegExp(`${start} has the methods ([^.]*)\\.`).exec(text)[1].matchAll(/`(\w+)`/g)].map(([, name]) => name)
  assert.deepEqual(listed('`tx`').sort(), namesOf(AsyncTransaction.prototype))
  assert.deepEqual(listed('The argument of the callback').sort(), namesOf(AsyncSnapshot.prototype))
})

test('docs/async.md describes every option of open() that the constructor does not have', () => {
  const [, body] = /interface OpenOptions .*?\{\n(.*?)^\}/ms.exec(read('dist/async/options.d.ts'))
  const options = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)
  assert.equal(options.length, 3)
  for (const name of options) assert.match(text, new RegExp(`^\\| \`${name}\` \\|`, 'm'))
})

test('docs/async.md describes the codes that the synchronous class does not have', () => {
  const own = [...page('api.md').matchAll(/^\| `(STRONGROOM_\w+)` \| in the asynchronous class/gm)].map(
    ([, code]) => code,
  )
  assert.equal(own.length, 4)
  for (const code of own) {
    assert.match(text, new RegExp(`^\\| \`${code}\` \\|`, 'm'))
    assert.match(text, new RegExp(`// → .*${code}`))
  }
})

test('docs/async.md names the settings that readers take over', () => {
  const [, list] = /const SETTINGS: [^=]*= \[([^\]]*)\]/.exec(read('../../crates/database/src/describe.rs'))
  const names = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name)
  assert.ok(names.includes('cache_size'), list)
  for (const name of names) assert.ok(text.includes(`\`${name}\``), name)
})
