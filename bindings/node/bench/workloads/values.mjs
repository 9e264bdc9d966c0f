// The cost of text and blobs: returned in a single row, returned by `all`, and bound as a parameter.
import { bytes } from '../data.mjs'
import { loop } from './loop.mjs'

const ROWS = 1_000

/** The values. No character of the 300 bytes of UTF-8 is ASCII. */
const VALUES = [
  { name: 'ascii-200', title: '200 bytes of ASCII', make: () => 'strongroom '.repeat(19).slice(0, 200) },
  { name: 'unicode-300', title: '300 bytes of non-ASCII text', make: () => 'é漢'.repeat(60) },
  { name: 'blob-64', title: 'a blob of 64 bytes', make: () => bytes(64) },
  { name: 'blob-4096', title: 'a blob of 4 KiB', make: () => bytes(4096) },
]

/** Returns the three workloads of a value. */
function workloadsOf({ name, title, make }) {
  const literal = typeof make() === 'string' ? `'${make()}'` : `x'${make().toString('hex')}'`
  const schema = `CREATE TABLE value (v);
    INSERT INTO value
      WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number LIMIT ${ROWS})
      SELECT ${literal} FROM number`
  return [
    loop({
      name: `get-${name}`,
      title: `get: ${title}`,
      schema,
      sql: 'SELECT v FROM value LIMIT 1',
      call: (peer, statement) => ends(peer.get(statement).v),
    }),
    loop({
      name: `all-${name}`,
      title: `all: a row with ${title}`,
      schema,
      sql: 'SELECT v FROM value',
      rows: ROWS,
      call(peer, statement) {
        const rows = peer.all(statement)
        let sum = 0
        for (let i = 0; i < rows.length; i++) sum += ends(rows[i].v)
        return sum
      },
    }),
    loop({
      name: `bind-${name}`,
      title: `bind: ${title}`,
      sql: 'SELECT length(?) AS n',
      binds: 'argument',
      make,
      call: (peer, statement, argument) => peer.get1(statement, argument).n,
    }),
  ]
}

/** Returns a number that depends on a value's length and on its last character or byte. */
function ends(value) {
  return value.length + (typeof value === 'string' ? value.charCodeAt(value.length - 1) : value[value.length - 1])
}

export const values = VALUES.flatMap(workloadsOf)
