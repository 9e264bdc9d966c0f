// docs/clients.md and the pages `from-*.md` show parts of the files that the suite `clients` runs.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CLIENT_PAGES, headings, page } from './docs.mjs'

const blocks = CLIENT_PAGES.flatMap((name) =>
  [...page(name).matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language, file, code]) => ({
    name,
    language,
    file,
    code,
  })),
)
const source = (file) => new URL(`../../clients/${file}`, import.meta.url)

/** Asserts that an object has each property of another one, with the same value. */
function assertHas(object, part) {
  for (const [name, value] of Object.entries(part)) {
    if (typeof value === 'object') assertHas(object[name] ?? {}, value)
    else assert.equal(object[name], value, name)
  }
}

for (const { name, language, file, code } of blocks) {
  test(`${name}: a block is a part of the file that it names: ${file}`, () => {
    assert.ok(file, `a block of ${language} names no file:\n${code}`)
    assert.ok(existsSync(source(file)), file)
    const whole = readFileSync(source(file), 'utf8')
    if (language === 'json') assertHas(JSON.parse(whole), JSON.parse(code))
    else assert.ok(whole.includes(code), `${file} does not contain:\n${code}`)
  })
}

test('every fence of a page is one of these blocks', () => {
  const fences = CLIENT_PAGES.flatMap((name) => page(name).match(/^```/gm) ?? [])
  assert.equal(fences.length, blocks.length * 2)
})

/** Returns the anchor that GitHub gives to a heading. */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

for (const name of CLIENT_PAGES) {
  test(`${name}: each link leads to a file, and each anchor to a heading`, () => {
    for (const [, link] of page(name).matchAll(/\]\((?!https:)(\S+?)\)/g)) {
      const [file, target] = link.split('#')
      assert.ok(existsSync(new URL(`../../../../docs/${file}`, import.meta.url)), link)
      if (target)
        assert.ok(
          headings(page(file || name))
            .map(anchor)
            .includes(target),
          link,
        )
    }
  })
}
