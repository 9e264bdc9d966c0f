// The calls of the model test: the SQL of each, and its effect on the model's state.
//
// A state is { items, columns, version }: the rows of the table `item` by their id, the columns of the table `wide`, and
// `PRAGMA user_version`. A state never changes: an operation returns new ones.

/** The ids of the table `item` are below this number. */
const IDS = 24
/** The rows of the table `number`, which makes a join long enough for several batches. */
export const NUMBERS = 20

export const SCHEMA = `
  CREATE TABLE item (id INTEGER PRIMARY KEY, value);
  CREATE TABLE wide (first INTEGER);
  INSERT INTO wide VALUES (0);
  CREATE TABLE number (n INTEGER PRIMARY KEY);
  INSERT INTO number
    WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up LIMIT ${NUMBERS}) SELECT n FROM up`

export const EMPTY = { items: new Map(), columns: ['first'], version: 0 }

/** A recursive query without an end: only an interruption ends it. */
const ENDLESS = 'WITH RECURSIVE endless(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM endless)'

const item = ([id, value]) => ({ id, value })
const sorted = (state) => [...state.items].sort(([a], [b]) => a - b).map(item)

/** Returns a state with other rows, and the result of the operation. */
function changed(state, change, result) {
  const items = new Map(state.items)
  const changes = change(items)
  return { states: [{ ...state, items }], result: result ?? { changes } }
}

function set(state, id, value, result) {
  return changed(state, (items) => items.set(id, value) && 1, result)
}

const id = (random) => random.below(IDS)
const columns = ['b', 'c', 'd', 'e']
const idAndValue = (random, step) => [id(random), valueFor(random, step)]

/** Returns a value of any type: short and long texts, in one byte and in two bytes per character, numbers and blobs. */
function valueFor(random, step) {
  const makers = [
    () => `value ${step}`,
    () => `value ${step} ${'x'.repeat(random.below(400))}`,
    () => `värde ${step} ${'é'.repeat(random.below(200))}`,
    () => `値 ${step} ${'漢字'.repeat(random.below(120))}`,
    () => step,
    () => step + 0.5,
    () => -(2 ** 40) - step,
    () => null,
    () => Buffer.from(`${step} ${'b'.repeat(random.below(150))}`),
  ]
  return random.one(makers)()
}

/** Returns a value as a literal of SQL. */
function literal(value) {
  if (typeof value === 'string') return `'${value}'`
  return Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : String(value)
}

const upsert = 'INSERT INTO item VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value'
const upsertLiteral = (id, value) => upsert.replace('?, ?', `${id}, ${literal(value)}`)
const both = (random, step) => [id(random), valueFor(random, step), id(random), valueFor(random, step)]

/**
 * The operations that change the database. `method` is the method of the class, `parameters` makes the values of a call,
 * `sql` is a text or a function of the parameters, and `effect` returns the new states and the result, or the code of the
 * error. A call of `exec` with several transactions has a state for each. A call that is `certain` is never cancelled,
 * because a part of its statements may have run then.
 */
const WRITES = {
  insert: {
    weight: 6,
    method: 'run',
    sql: 'INSERT INTO item VALUES (?, ?)',
    parameters: idAndValue,
    effect: (state, [id, value]) =>
      state.items.has(id)
        ? { error: 'SQLITE_CONSTRAINT_PRIMARYKEY' }
        : set(state, id, value, { changes: 1, lastInsertRowid: id }),
  },
  upsert: {
    weight: 10,
    method: 'run',
    sql: upsert,
    parameters: idAndValue,
    effect: (state, [id, value]) => set(state, id, value),
  },
  update: {
    weight: 6,
    method: 'run',
    sql: 'UPDATE item SET value = ?2 WHERE id = ?1',
    parameters: idAndValue,
    effect: (state, [id, value]) => (state.items.has(id) ? set(state, id, value) : changed(state, () => 0)),
  },
  updateMany: {
    weight: 4,
    method: 'run',
    sql: 'UPDATE item SET value = ?2 WHERE id % 3 = ?1 % 3',
    parameters: idAndValue,
    effect: (state, [id, value]) => many(state, id, (items, at) => items.set(at, value)),
  },
  delete: {
    weight: 4,
    method: 'run',
    sql: 'DELETE FROM item WHERE id = ?',
    parameters: (random) => [id(random)],
    effect: (state, [id]) => changed(state, (items) => (items.delete(id) ? 1 : 0)),
  },
  deleteMany: {
    weight: 1,
    method: 'run',
    sql: 'DELETE FROM item WHERE id % 3 = ? % 3',
    parameters: (random) => [id(random)],
    effect: (state, [id]) => many(state, id, (items, at) => items.delete(at)),
  },
  returning: {
    weight: 4,
    method: 'get',
    sql: `${upsert} RETURNING id, value`,
    parameters: idAndValue,
    effect: (state, [id, value]) => set(state, id, value, { id, value }),
  },
  atomic: {
    weight: 3,
    method: 'exec',
    sql: ([a, first, b, second]) => `BEGIN; ${upsertLiteral(a, first)}; ${upsertLiteral(b, second)}; COMMIT`,
    parameters: both,
    top: true,
    effect: (state, [a, first, b, second]) => changed(state, (items) => items.set(a, first).set(b, second), 'nothing'),
  },
  split: {
    weight: 2,
    method: 'exec',
    sql: ([a, first, b, second]) => `${upsertLiteral(a, first)}; ${upsertLiteral(b, second)}`,
    parameters: both,
    certain: true,
    effect(state, [a, first, b, second]) {
      const [between] = set(state, a, first).states
      return { states: [between, ...set(between, b, second).states], result: 'nothing' }
    },
  },
  savepoint: {
    weight: 1,
    method: 'exec',
    sql: ([id, value]) => `SAVEPOINT s; ${upsertLiteral(id, value)}; ROLLBACK TO s; RELEASE s`,
    parameters: idAndValue,
    certain: true,
    effect: (state) => ({ states: [state], result: 'nothing' }),
  },
  widen: {
    weight: 1,
    method: 'exec',
    sql: ([name]) => `ALTER TABLE wide ADD COLUMN ${name}`,
    parameters: (random) => [random.one(columns)],
    effect: (state, [name]) =>
      state.columns.includes(name)
        ? { error: 'SQLITE_ERROR' }
        : { states: [{ ...state, columns: [...state.columns, name] }], result: 'nothing' },
  },
  narrow: {
    weight: 1,
    method: 'exec',
    sql: ([name]) => `ALTER TABLE wide DROP COLUMN ${name}`,
    parameters: (random) => [random.one(columns)],
    effect: (state, [name]) =>
      state.columns.includes(name)
        ? { states: [{ ...state, columns: state.columns.filter((other) => other !== name) }], result: 'nothing' }
        : { error: 'SQLITE_ERROR' },
  },
  index: {
    weight: 1,
    method: 'exec',
    sql: 'CREATE INDEX IF NOT EXISTS by_value ON item (value)',
    effect: (state) => ({ states: [state], result: 'nothing' }),
  },
  noIndex: {
    weight: 1,
    method: 'exec',
    sql: 'DROP INDEX IF EXISTS by_value',
    effect: (state) => ({ states: [state], result: 'nothing' }),
  },
  setVersion: {
    weight: 1,
    method: 'pragma',
    sql: ([version]) => `user_version = ${version}`,
    parameters: (_, step) => [step],
    effect: (state, [version]) => ({ states: [{ ...state, version }], result: 'nothing' }),
  },
  version: {
    weight: 2,
    method: 'pragma',
    sql: 'user_version',
    effect: (state) => ({ states: [state], result: state.version }),
  },
  wrongSql: { weight: 1, method: 'run', sql: 'SELEC 1', effect: () => ({ error: 'SQLITE_ERROR' }) },
  wrongCount: {
    weight: 1,
    method: 'run',
    sql: 'DELETE FROM item WHERE id = ?',
    parameters: () => [1, 2],
    effect: () => ({ error: 'RangeError' }),
  },
  bareBegin: {
    weight: 1,
    method: 'run',
    sql: 'BEGIN',
    effect: (_, __, isInside) => ({ error: isInside ? 'STRONGROOM_IN_TRANSACTION' : 'STRONGROOM_OPEN_TRANSACTION' }),
  },
  endlessWrite: {
    weight: 1,
    method: 'run',
    sql: `${ENDLESS} INSERT OR REPLACE INTO item SELECT i % ${IDS}, 'endless' FROM endless`,
    endless: true,
  },
}

function many(state, id, change) {
  return changed(state, (items) => [...items.keys()].filter((at) => at % 3 === id % 3 && change(items, at)).length)
}

/** The operations that only read. */
const READS = {
  items: { weight: 10, method: 'all', sql: 'SELECT id, value FROM item ORDER BY id', result: sorted },
  one: {
    weight: 8,
    method: 'get',
    sql: 'SELECT id, value FROM item WHERE id = ?',
    parameters: (random) => [id(random)],
    result: (state, [id]) => (state.items.has(id) ? item([id, state.items.get(id)]) : undefined),
  },
  named: {
    weight: 3,
    method: 'all',
    sql: 'SELECT id, value FROM item WHERE id >= :least ORDER BY id',
    parameters: (random) => ({ least: id(random) }),
    result: (state, { least }) => sorted(state).filter(({ id }) => id >= least),
  },
  count: {
    weight: 4,
    method: 'get',
    sql: 'SELECT count(*) AS n, total(id) AS sum FROM item',
    result: ({ items }) => ({ n: items.size, sum: [...items.keys()].reduce((sum, id) => sum + id, 0) }),
  },
  wide: {
    weight: 3,
    method: 'all',
    sql: 'SELECT * FROM wide',
    result: ({ columns }) => [Object.fromEntries(columns.map((name) => [name, name === 'first' ? 0 : null]))],
  },
  rows: {
    weight: 0,
    method: 'iterate',
    sql: 'SELECT id, value, n FROM item, number ORDER BY id, n',
    result: (state) =>
      sorted(state).flatMap((row) => Array.from({ length: NUMBERS }, (_, at) => ({ ...row, n: at + 1 }))),
  },
  endlessRead: { weight: 2, method: 'get', sql: `${ENDLESS} SELECT max(i) AS i FROM endless`, endless: true },
  endlessRows: {
    weight: 0,
    method: 'iterate',
    sql: `${ENDLESS} SELECT i FROM endless`,
    endless: true,
    result: () => Array.from({ length: 600 }, (_, at) => ({ i: at + 1 })),
  },
}

const read = ([name, operation]) => {
  const effect = (state, parameters) => ({ states: [state], result: operation.result?.(state, parameters) })
  return [name, { ...operation, reads: true, effect }]
}

/** All operations by their names. */
export const OPERATIONS = { ...WRITES, ...Object.fromEntries(Object.entries(READS).map(read)) }

export const WEIGHTS = {
  writes: weights(WRITES, () => true),
  inside: weights(WRITES, ({ top }) => !top),
  reads: weights(READS, () => true),
}

function weights(operations, isWanted) {
  const wanted = Object.entries(operations).filter(([, operation]) => isWanted(operation))
  return Object.fromEntries(wanted.map(([name, { weight }]) => [name, weight]))
}
