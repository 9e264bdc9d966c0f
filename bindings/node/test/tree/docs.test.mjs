// Runs every example of docs/, in the order of its page and in one folder per page. Each example must print what its
// comments say.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CLIENT_PAGES, examples, page, prepare, run, said } from './docs.mjs'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The table of contents, which has no examples: links.test.mjs follows its links. */
const CONTENTS = 'README.md'

/** The pages, each with its minimum number of examples. */
const PAGES = { 'api.md': 60, 'async.md': 20, 'command-line.md': 0, 'compilation.md': 0, 'format.md': 0, 'keys.md': 10 }

test('every page of docs/ is tested', () => {
  const tested = [CONTENTS, ...CLIENT_PAGES, ...Object.keys(PAGES)].sort()
  const files = readdirSync(new URL('../../../../docs', import.meta.url))
  assert.deepEqual(files.filter((name) => name.endsWith('.md')).sort(), tested)
})

for (const [name, least] of Object.entries(PAGES)) {
  const list = examples(page(name))
  const own = join(folder, name)
  prepare(own)
  test(`${name} has at least ${least} examples, and every js block is one`, () => {
    assert.ok(list.length >= least, `${list.length}`)
    assert.equal(page(name).split(/^```js/m).length - 1, list.length)
  })
  list.forEach((example, index) => {
    test(`${name}, example ${index + 1}: ${example.heading}`, () => {
      const expected = { status: 0, stdout: said(example.setup + example.code), stderr: '' }
      assert.deepEqual(run(example, own, `example-${index + 1}`), expected)
    })
  })
}
