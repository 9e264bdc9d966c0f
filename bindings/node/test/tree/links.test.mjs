// Checks that each link in the repository's Markdown leads to a file, and each anchor to a heading.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { headings } from './docs.mjs'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const read = (file) => readFileSync(join(root, file), 'utf8')

/** Matches the names of hidden folders, and of folders with installed, built or generated files. */
const FOREIGN = /^(node_modules|target|dist|fixture|results?|\..*)$/

/** Returns the Markdown files of a folder, relative to the root. */
function pages(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return FOREIGN.test(entry.name) ? [] : pages(path)
    return entry.name.endsWith('.md') ? [relative(root, path)] : []
  })
}

const PAGES = pages(root)

/** Returns the text without its code, because brackets in code are not links. */
const prose = (text) => text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '')

/** Returns the targets of the links and pictures in a text. */
const links = (text) => [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)

/** Returns the anchors that GitHub gives to the headings of a page. */
function anchors(text) {
  const seen = new Map()
  return headings(text).map((heading) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

/** Returns a link's file relative to the root, and its anchor. */
function resolved(page, link) {
  const [file, anchor] = link.split('#')
  return { file: file === '' ? page : relative(root, join(root, dirname(page), file)), anchor }
}

test('the test finds the pages that people read first', () => {
  for (const page of ['README.md', 'docs/README.md', 'bindings/node/README.md', 'crates/node-audit/README.md'])
    assert.ok(PAGES.includes(page), page)
})

for (const page of PAGES) {
  test(`${page}: each link leads to a file, and each anchor to a heading`, () => {
    for (const link of links(read(page)).filter((link) => !/^https?:/.test(link))) {
      const { file, anchor } = resolved(page, link)
      assert.ok(existsSync(join(root, file)), `${link}: ${file} does not exist`)
      if (anchor) assert.ok(anchors(read(file)).includes(anchor), `${link}: ${file} has no heading for this anchor`)
    }
  })
}

test('every page can be reached by links from README.md', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const link of links(read(page)).filter((link) => !/^https?:/.test(link))) {
      const { file } = resolved(page, link)
      const readme = join(file, 'README.md')
      if (PAGES.includes(file)) reached.add(file)
      else if (PAGES.includes(readme)) reached.add(readme)
    }
  }
  assert.deepEqual(
    PAGES.filter((page) => !reached.has(page)),
    [],
  )
})
