import assert from 'node:assert/strict'

/** Checks that the tags of a document are balanced, its attributes quoted and its text escaped. */
export function assertWellFormed(xml) {
  const open = []
  const rest = xml.replace(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/gi, (_, end, name, __, empty) => {
    if (end) assert.equal(open.pop(), name)
    else if (!empty) open.push(name)
    return ''
  })
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest, /[<>]|&(?!#\d+;)/)
  assert.match(xml, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
}
