// The addon returns rows in batches, and a program must not notice the batches.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'

let db
beforeEach(() => {
  db = new Database(':memory:')
})

/** Returns the rows of a statement, and checks that `all`, `iterate`, `get`, `raw` and `pluck` agree on them. */
function read(sql, ...parameters) {
  const statement = db.prepare(sql)
  const all = statement.all(...parameters)
  assert.deepEqual([...statement.iterate(...parameters)], all)
  assert.deepEqual(statement.get(...parameters), all[0])
  const raw = db.prepare(sql).raw()
  assert.deepEqual(
    raw.all(...parameters),
    all.map((row) => Object.values(row)),
  )
  assert.deepEqual(
    db
      .prepare(sql)
      .pluck()
      .all(...parameters),
    all.map((row) => Object.values(row)[0]),
  )
  return all
}

/** Fills table t with the values of one column. */
function fill(values) {
  db.exec('DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, v)')
  const insert = db.prepare('INSERT INTO t (v) VALUES (?)')
  db.transaction(() => {
    for (const value of values) insert.run(value)
  })()
}

const count = (length, of) => Array.from({ length }, (_, i) => of(i))

test('a column may have a different type in every row', () => {
  const kinds = [1n, 2 ** 40, null, 0.5, 'text', Buffer.from('blob'), 'é漢😀', Buffer.alloc(100, 7), -1n, '']
  const shown = [1, 2 ** 40, null, 0.5, 'text', Buffer.from('blob'), 'é漢😀', Buffer.alloc(100, 7), -1, '']
  for (let first = 0; first < kinds.length; first++) {
    const order = (list) => count(kinds.length * 3, (i) => list[(first + i) % kinds.length])
    fill(order(kinds))
    assert.deepEqual(
      read('SELECT v FROM t ORDER BY id').map(({ v }) => v),
      order(shown),
    )
  }
})

test('a column may change its type after many rows, and back', () => {
  for (const other of [null, 'a', Buffer.from('b'), 1.5, 2n ** 40n]) {
    const at = (i) => (i === 700 || i === 3000 ? other : BigInt(i))
    fill(count(5000, at))
    const shown = (i) => (typeof at(i) === 'bigint' ? Number(at(i)) : at(i))
    assert.deepEqual(
      read('SELECT v FROM t ORDER BY id').map(({ v }) => v),
      count(5000, shown),
    )
  }
})

test('integers keep their values as numbers and as bigints', () => {
  const edges = [
    0n,
    -1n,
    2n ** 31n - 1n,
    2n ** 31n,
    -(2n ** 31n),
    -(2n ** 31n) - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]
  fill([...edges, null, ...edges])
  const select = db.prepare('SELECT v FROM t ORDER BY id').pluck()
  assert.deepEqual(select.all(), [...edges.map(Number), null, ...edges.map(Number)])
  assert.deepEqual(select.safeIntegers().all(), [...edges, null, ...edges])
  assert.deepEqual([...select.iterate()], [...edges, null, ...edges])
  const real = db.prepare('SELECT v, v + 0.5 AS r FROM t WHERE id = 1').safeIntegers()
  assert.deepEqual(real.get(), { v: 0n, r: 0.5 })
})

test('negative zero, infinities and the smallest number keep their bits', () => {
  const numbers = [-0, Infinity, -Infinity, 5e-324, -1.7976931348623157e308, NaN]
  fill(numbers)
  const back = read('SELECT v FROM t ORDER BY id').map(({ v }) => v)
  assert.deepEqual(back, [...numbers.slice(0, -1), null])
})

test('a blob of any size has its own memory', () => {
  const sizes = [0, 1, 63, 64, 65, 1023, 1024, 1025, 4096, 70_000]
  const blob = (size) => Buffer.from(count(size, (i) => i * 31 + size))
  for (const make of [
    (b) => b,
    (b) => new Uint8Array(b),
    (b) => new Uint8Array(new SharedArrayBuffer(b.length)).fill(9),
  ]) {
    const given = sizes.map((size) => make(blob(size)))
    fill(given)
    const back = read('SELECT v FROM t ORDER BY id').map(({ v }) => v)
    for (const [i, value] of back.entries()) {
      assert.ok(Buffer.isBuffer(value))
      assert.deepEqual(value, Buffer.from(given[i]))
      assert.equal(Object.getPrototypeOf(value), Buffer.prototype)
      assert.deepEqual([value.byteOffset, value.buffer.byteLength], [0, value.length])
    }
    back[3].fill(0)
    assert.deepEqual(read('SELECT v FROM t WHERE id = 4')[0].v, Buffer.from(given[3]))
  }
})

test('the blobs and strings of a batch may exceed the shared memory', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB, s TEXT, n)')
  const insert = db.prepare('INSERT INTO t (v, s, n) VALUES (?, ?, ?)')
  const given = count(6000, (i) => ({
    v: i % 50 === 0 ? null : Buffer.alloc(64 - (i % 3), i),
    s: 'x'.repeat(i % 200) + (i % 7 ? '' : 'é'),
    n: i % 11 ? i : null,
  }))
  db.transaction(() => {
    for (const { v, s, n } of given) insert.run(v, s, n)
  })()
  assert.deepEqual(read('SELECT v, s, n FROM t ORDER BY id'), given)
})

test('a row may have as many columns as SQLite allows', () => {
  const columns = count(2000, (i) => `c${i}`)
  for (const value of ["'text'", "x'0102'", 'zeroblob(64)', '7', 'NULL', '1.5']) {
    const sql = `SELECT ${columns.map((name) => `${value} AS ${name}`).join()} FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)`
    const rows = db.prepare(sql).all()
    assert.equal(rows.length, 3)
    for (const row of rows) assert.deepEqual(new Set(Object.values(row).map(String)).size, 1)
    assert.deepEqual(Object.keys(rows[2]), columns)
  }
})

test('a statement may have more parameters than fit into the shared memory', () => {
  for (const length of [255, 256, 257, 3000]) {
    const values = count(length, (i) => [i, `s${i}`, Buffer.from([i]), null, BigInt(i)][i % 5])
    const sql = `SELECT ${values.map((_, i) => `typeof(?${i + 1}) || hex(?${i + 1})`).join(" || ',' || ")}`
    const expected = values.map((value) => {
      if (value === null) return 'null'
      const hex = Buffer.from(typeof value === 'number' ? `${value}.0` : typeof value === 'bigint' ? `${value}` : value)
      const type = { number: 'real', string: 'text', bigint: 'integer' }[typeof value] ?? 'blob'
      return type + hex.toString('hex').toUpperCase()
    })
    const limited = length === 3000 ? sql.replace(/SELECT .*/, () => sqlInParts(length)) : sql
    const statement = db.prepare(limited).raw()
    assert.deepEqual(statement.get(values).join().split(','), expected)
    assert.deepEqual(
      statement
        .get(...values)
        .join()
        .split(','),
      expected,
    )
  }
  // SQLite limits an expression to a depth of 1,000.
  function sqlInParts(length) {
    return `SELECT ${count(length, (i) => `typeof(?${i + 1}) || hex(?${i + 1})`)
      .reduce((groups, part, i) => {
        if (i % 100 === 0) groups.push([])
        groups.at(-1).push(part)
        return groups
      }, [])
      .map((group) => group.join(" || ',' || "))
      .join(', ')}`
  }
})

test('many small parameters may exceed the shared memory', () => {
  const blobs = count(200, (i) => Buffer.alloc(1000, i))
  const sql = `SELECT ${blobs.map((_, i) => `? AS c${i}`).join()}`
  assert.deepEqual(Object.values(db.prepare(sql).get(blobs)), blobs)
})

test('strings of every character width survive a round trip', () => {
  const texts = [
    '',
    'ascii',
    'é',
    'ÿ'.repeat(300),
    '漢'.repeat(300),
    '😀'.repeat(300),
    'a\0b',
    '\ufeffx',
    '\ufffd',
    'x'.repeat(100_000),
    'é漢😀'.repeat(50_000),
  ]
  fill(texts)
  assert.deepEqual(
    read('SELECT v FROM t ORDER BY id').map(({ v }) => v),
    texts,
  )
  for (const text of texts) {
    const utf8 = db.prepare('SELECT hex(?), length(?)').raw().get(text, text)
    assert.deepEqual(utf8, [Buffer.from(text).toString('hex').toUpperCase(), [...text.split('\0')[0]].length])
  }
})

test('a column may have the name of an inherited property', () => {
  const row = db.prepare('SELECT 1 AS __proto__, 2 AS constructor, 3 AS toString, 4 AS "", 5 AS "a""b"').get()
  assert.deepEqual(Object.entries(row), [
    ['__proto__', 1],
    ['constructor', 2],
    ['toString', 3],
    ['', 4],
    ['a"b', 5],
  ])
  assert.equal(Object.getPrototypeOf(row), Object.prototype)
  assert.deepEqual(db.prepare('SELECT 1 AS a, 2 AS b, 3 AS a').all(), [{ a: 3, b: 2 }])
})

test('iterate yields all rows before an error, then throws the error', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  db.exec('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) INSERT INTO t SELECT i FROM n')
  const failing = db.prepare('SELECT abs(CASE id WHEN 701 THEN -9223372036854775807 - 1 ELSE id END) FROM t').pluck()
  const seen = []
  assert.throws(() => {
    for (const id of failing.iterate()) seen.push(id)
  }, /integer overflow/)
  assert.deepEqual(
    seen,
    count(700, (i) => i + 1),
  )
  assert.throws(() => failing.all(), /integer overflow/)
  assert.equal(failing.get(), 1)
  db.exec('DROP TABLE t')
})

test('iterate reads no row ahead if the program could notice', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3), (4)')
  const select = db.prepare('SELECT id FROM t ORDER BY id').pluck()
  // A rollback removes the transaction's rows while an open iterator continues, so rows read ahead would be wrong.
  db.exec('BEGIN; INSERT INTO t VALUES (5), (6)')
  const iterator = select.iterate()
  assert.equal(iterator.next().value, 1)
  assert.throws(() => db.transaction(() => {})(), { code: 'STRONGROOM_BUSY' })
  iterator.return()
  db.exec('ROLLBACK')

  // The function may only be called for the rows that the program has requested.
  const called = []
  db.function('seen', (id) => {
    called.push(id)
    return id
  })
  for (const id of db.prepare('SELECT seen(id) FROM t ORDER BY id').pluck().iterate()) if (id === 2) break
  assert.deepEqual(called, [1, 2])

  db.unsafeMode()
  const rows = []
  for (const id of select.iterate()) {
    rows.push(id)
    if (id === 2) db.exec('DELETE FROM t WHERE id = 3')
  }
  assert.deepEqual(rows, [1, 2, 4])
})

test('after a rollback, an open iterator yields no row that was rolled back', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)')
  let iterator
  const failing = db.transaction(() => {
    db.exec('INSERT INTO t VALUES (3), (4)')
    iterator = db.prepare('SELECT id FROM t ORDER BY id').pluck().iterate()
    assert.equal(iterator.next().value, 1)
    throw new Error('mine')
  })
  assert.throws(failing, /mine/)
  let rest = []
  try {
    rest = [...iterator]
  } catch (error) {
    assert.match(error.code, /^SQLITE_ABORT/)
  }
  assert.ok(!rest.includes(3) && !rest.includes(4), String(rest))
})

test('a callback that uses other databases does not change the rows of the running statement', () => {
  const other = new Database(':memory:')
  other.exec("CREATE TABLE u (a, b, c); INSERT INTO u VALUES (100, x'ff', 0.5), (400, x'fe', 0.25)")
  const disturb = () => {
    other.prepare('SELECT * FROM u').all()
    other.prepare('INSERT INTO u VALUES (?, ?, ?)').run(7, Buffer.alloc(64, 9), 'text')
    other.prepare('DELETE FROM u WHERE a = 7').run()
    const third = new Database(':memory:')
    third.prepare('SELECT 5 AS five').pluck().get()
    third.close()
  }
  db.exec(
    "CREATE TABLE t (x, y, z BLOB, s); INSERT INTO t VALUES (1, 0.5, x'01', 'a'), (2, 1.5, x'0203', 'b'), (3, 2.5, x'', 'c')",
  )
  db.function('f', (value) => {
    disturb()
    return value
  })
  db.aggregate('g', {
    start: 0,
    step: (total, next) => total + next,
    result(total) {
      disturb()
      return total
    },
  })
  db.table('v', {
    columns: ['x', 'z'],
    *rows() {
      try {
        for (const [x, z] of [
          [1, Buffer.from('p')],
          [2, Buffer.from('q')],
        ]) {
          disturb()
          yield [x, z]
        }
      } finally {
        disturb()
      }
    },
  })
  const rows = [
    { x: 1, y: 0.5, z: Buffer.from([1]), s: 'a', f: 1 },
    { x: 2, y: 1.5, z: Buffer.from([2, 3]), s: 'b', f: 2 },
    { x: 3, y: 2.5, z: Buffer.alloc(0), s: 'c', f: 3 },
  ]
  const select = db.prepare('SELECT *, f(x) AS f FROM t')
  assert.deepEqual(select.all(), rows)
  assert.deepEqual(select.get(), rows[0])
  assert.deepEqual([...select.iterate()], rows)
  assert.deepEqual(
    db.prepare('SELECT x, f(y) AS y FROM t WHERE f(z) IS NOT NULL').all(),
    rows.map(({ x, y }) => ({ x, y })),
  )
  assert.deepEqual(
    db.prepare('SELECT s, g(x) AS total FROM t GROUP BY s').all(),
    rows.map(({ s, x }) => ({ s, total: x })),
  )
  const table = [
    { x: 1, z: Buffer.from('p') },
    { x: 2, z: Buffer.from('q') },
  ]
  assert.deepEqual(db.prepare('SELECT * FROM v').all(), table)
  assert.deepEqual(db.prepare('SELECT * FROM v').get(), table[0])
  assert.deepEqual(db.prepare('SELECT * FROM v LIMIT 1').all(), table.slice(0, 1))
  assert.equal(db.prepare('SELECT x FROM v').pluck().get(), 1)
  assert.deepEqual(db.prepare('INSERT INTO t (x) SELECT f(x) FROM t').run(), { changes: 3, lastInsertRowid: 6 })
})

test('a typed array with a forged byteLength is stored at its true length', () => {
  const insert = db.prepare('SELECT hex(?)').pluck()
  db.prepare('SELECT ?').get(Buffer.alloc(100, 0xee))
  const array = (length, byteLength) =>
    Object.defineProperty(new Uint8Array(length).fill(1), 'byteLength', { get: byteLength })
  assert.equal(insert.get(array(2, () => 20)), '0101')
  assert.equal(insert.get(array(20, () => 2)), '01'.repeat(20))
  assert.equal(insert.get(array(100_000, () => 3)).length, 200_000)
  assert.equal(
    db
      .prepare('SELECT hex(:a)')
      .pluck()
      .get({ a: array(200, () => 0) }),
    '01'.repeat(200),
  )
  let called = 0
  insert.get(array(2, () => called++))
  assert.equal(called, 0)
})

test('iterate yields each row before a slow search for the next row', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  db.exec('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) INSERT INTO t SELECT i FROM n')
  // Every 50,000th row matches: the search for the next match takes more steps than a batch may take.
  const seen = []
  const rare = db.prepare('SELECT id FROM t WHERE id % 50000 = 0').pluck()
  for (const id of rare.iterate()) seen.push(id)
  assert.deepEqual(seen, [50_000, 100_000, 150_000, 200_000])
  // After three rows, the search never ends.
  const endless = db
    .prepare('WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x <= 3')
    .pluck()
  const first = []
  for (const x of endless.iterate()) if (first.push(x) === 3) break
  assert.deepEqual(first, [1, 2, 3])
})

test('a run that a stack overflow left open can be ended later', () => {
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)')
  const select = db.prepare('SELECT id FROM t').pluck()
  for (const attempt of [
    () => select.iterate(),
    () => {
      const iterator = select.iterate()
      iterator.next()
      return iterator
    },
  ]) {
    const open = []
    const recurse = (work) => {
      try {
        recurse(work)
      } catch (error) {
        try {
          work()
        } catch {}
        throw error
      }
    }
    let iterator
    assert.throws(() =>
      recurse(() => {
        iterator ??= attempt()
        if (iterator) open.push(iterator)
      }),
    )
    assert.throws(() => recurse(() => iterator?.return()))
    iterator?.return()
    assert.equal(select.busy, false)
    db.exec('INSERT INTO t DEFAULT VALUES')
  }
  db.close()
})
