import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'

const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const ts = createRequire(import.meta.url)('typescript')

/** The fixed parts of the texts in a source file, in reading order: what stands between the values put into them. */
function texts(name) {
  const parts = []
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isLiteralTypeNode(node)) return
    if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)) parts.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(name, read(name), ts.ScriptTarget.Latest))
  return parts.map((part) => part.trim()).filter((part) => part.includes(' '))
}

const shown = read('TROUBLESHOOTING.md').replaceAll(/\s+/g, ' ')

const sources = ['remedies', 'missing', 'loader', 'load-error', 'cut-short', 'denied']
for (const name of sources.map((source) => `ts/${source}.ts`)) {
  test(`TROUBLESHOOTING.md shows what ${name} says`, () => {
    const parts = texts(name)
    assert.notEqual(parts.length, 0)
    assert.deepEqual(
      parts.filter((part) => !shown.includes(part.replaceAll(/\s+/g, ' '))),
      [],
    )
  })
}
