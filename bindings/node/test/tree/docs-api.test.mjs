// Checks that docs/api.md describes every method, property, option and error code of the API.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import Database from 'strongroom'
import { headings, page } from './docs.mjs'

const text = page('api.md')
const titles = headings(text)
const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

/** Asserts that the page has a heading for each name, and no heading for a name that does not exist. */
function described(object, names) {
  const pattern = new RegExp(`^${object}(?:\\.(\\w+)|\\[(Symbol\\.\\w+)\\])`)
  const found = titles.map((title) => pattern.exec(title)).filter(Boolean)
  assert.deepEqual(found.map(([, name, symbol]) => name ?? symbol).sort(), [...names].sort())
}

/**
 * Returns the names of the properties of an object and of its prototype. Node's symbols and the package's own symbols
 * are private.
 */
function namesOf(object) {
  return [object, Object.getPrototypeOf(object)]
    .flatMap((holder) => Reflect.ownKeys(holder))
    .filter((key) => key !== 'constructor')
    .map((key) => (key === Symbol.dispose ? 'Symbol.dispose' : typeof key === 'string' ? key : key.description))
    .filter((name) => !name.startsWith('nodejs.') && name !== 'session')
}

test('docs/api.md has a heading for every method and property of a database', () => {
  described('db', namesOf(new Database()))
})

test('docs/api.md has a heading for every method and property of a statement', () => {
  described('statement', namesOf(new Database().prepare('SELECT 1')))
})

test('docs/api.md has a heading for every method of the key slots', () => {
  described('keys', namesOf(new Database().keys))
})

test('docs/api.md has a heading for every static method and property', () => {
  const ofFunctions = ['length', 'name', 'prototype']
  described(
    'Database',
    Reflect.ownKeys(Database).filter((name) => !ofFunctions.includes(name)),
  )
})

test('docs/api.md has a heading for every method and property of a transaction function', () => {
  const transaction = new Database().transaction(() => {})
  described(
    'transaction',
    Reflect.ownKeys(transaction).filter((name) => !['length', 'name', 'prototype'].includes(name)),
  )
})

test('docs/api.md describes every option', () => {
  const files = [
    'aggregate',
    'options',
    'key',
    'keys',
    'function',
    'table',
    'attach',
    'backup',
    'check',
    'migrate',
    'rekey',
    'rotate',
    'serialize',
  ]
  const options = files.flatMap((file) =>
    [...read(`dist/api/${file}.d.ts`).matchAll(/^export interface \w*Options\b.*?\{\n(.*?)^\}/gms)].flatMap(
      ([, body]) => [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name),
    ),
  )
  assert.ok(options.length > 30, `${options.length}`)
  const missing = options.filter((name) => !new RegExp(`^\\| \`[^|]*\\b${name}\\b[^|]*\` \\|`, 'm').test(text))
  assert.deepEqual([...new Set(missing)], [])
})

test('docs/api.md lists exactly the error codes of the API', () => {
  const listed = [...text.matchAll(/^\| `(STRONGROOM_\w+)` \|/gm)].map(([, code]) => code)
  const codes = [...read('ts/api/codes.ts').matchAll(/'(STRONGROOM_\w+)'/g)].map(([, code]) => code)
  assert.ok(codes.length > 40, `${codes.length}`)
  assert.deepEqual(listed, codes)
})

test('docs/api.md has an example of each error, or says why an example is missing', () => {
  const listed = [...text.matchAll(/^\| `(STRONGROOM_\w+)` \|/gm)].map(([, code]) => code)
  const examples = [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code).join('')
  const [, reasons] = /^The codes without an example:\n(.*?)^# /ms.exec(text)
  const shown = listed.filter((code) => new RegExp(`// → .*\\b${code}\\b`).test(examples))
  const explained = [...reasons.matchAll(/`(STRONGROOM_\w+)`/g)].map(([, code]) => code)
  assert.deepEqual([...shown, ...explained].sort(), listed)
})

test('docs/api.md lists at most five differences from better-sqlite3', () => {
  const [, section] = /^# Differences from better-sqlite3\n(.*)/ms.exec(text)
  const items = section.match(/^\d\. /gm)
  assert.ok(items.length <= 5, `${items.length}`)
})

test('every link within docs/api.md has a target', () => {
  const anchors = titles.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const [, anchor] of text.matchAll(/\]\(#([^)]*)\)/g)) assert.ok(anchors.includes(anchor), anchor)
})
