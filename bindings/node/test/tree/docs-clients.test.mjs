// Checks that docs/clients.md and the pages `from-*.md` show parts of the files that the suite `clients` runs.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CLIENT_PAGES, page } from './docs.mjs'

const blocks = CLIENT_PAGES.flatMap((name) =>
  [...page(name).matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language, file, code]) => ({
    name,
    language,
    file,
    code,
  })),
)
const source = (file) => new URL(`../../clients/${file}`, import.meta.url)

/** Asserts that an object has each property of another object, with the same value. */
function assertHas(object, part) {
  for (const [name, value] of Object.entries(part)) {
    if (typeof value === 'object') assertHas(object[name] ?? {}, value)
    else assert.equal(object[name], value, name)
  }
}

for (const { name, language, file, code } of blocks) {
  test(`${name}: the block for ${file} is part of that file`, () => {
    assert.ok(file, `a ${language} block does not name its file:\n${code}`)
    assert.ok(existsSync(source(file)), file)
    const whole = readFileSync(source(file), 'utf8')
    if (language === 'json') assertHas(JSON.parse(whole), JSON.parse(code))
    else assert.ok(whole.includes(code), `${file} does not contain:\n${code}`)
  })
}

test('every fence of a page is one of the tested blocks', () => {
  const fences = CLIENT_PAGES.flatMap((name) => page(name).match(/^```/gm) ?? [])
  assert.equal(fences.length, blocks.length * 2)
})
