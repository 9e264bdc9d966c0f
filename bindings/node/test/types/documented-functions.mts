// Our own programs with the functions, aggregates, virtual tables and extensions of better-sqlite3's documentation.
import { readdirSync, readFileSync } from 'node:fs'
import Database from 'strongroom'

const db = new Database('library.db')

// user functions
db.function('plus', (a, b) => a + b)
db.function('nothing', { deterministic: true, varargs: true }, () => {})
db.function('isBig', { safeIntegers: true, directOnly: true }, (value) => String(typeof value === 'bigint'))
const registration: Database.RegistrationOptions = { varargs: true, deterministic: true, safeIntegers: true }
db.function('all', registration, (...values: unknown[]) => values.length)

// aggregates
db.aggregate('total', { start: 0, step: (total, next) => total + next })
db.aggregate('mean', {
  start: () => [],
  step: (array, next) => {
    array.push(next)
  },
  result: (array) => array.reduce((a: number, b: number) => a + b, 0) / array.length,
})
db.aggregate('rolling', {
  start: 0,
  step: (total, next) => total + next,
  inverse: (total, dropped) => total - dropped,
  result: (total) => Math.round(total),
  deterministic: true,
})
db.aggregate('sumOfInts', { safeIntegers: true, start: 0n, step: (total, next) => total + next })
const aggregate: Database.AggregateOptions = { step: (total, next) => [total, next] }
db.aggregate('pairs', aggregate)

// virtual tables
db.table('files', {
  columns: ['name', 'data'],
  rows: function* () {
    for (const name of readdirSync('.')) yield { name, data: readFileSync(name) }
  },
})
db.table('matches', {
  columns: ['match', 'capture'],
  parameters: ['pattern', 'text'],
  rows: function* (pattern, text) {
    for (const match of String(text).matchAll(new RegExp(String(pattern), 'g'))) yield [match[0], match[1]]
  },
})
db.table('sequence', {
  safeIntegers: true,
  directOnly: true,
  columns: ['value'],
  parameters: ['length', 'start'],
  rows: function* (length, start = 0n) {
    if (length === undefined) throw new TypeError('sequence needs a length')
    for (let n = start as bigint; n < (start as bigint) + (length as bigint); n++) yield { value: n }
  },
})

// extensions
db.loadExtension('./compress.so')

// beyond @types/better-sqlite3: several values of a row, and modules
db.aggregate('product', { start: 0, step: (total, a, b) => total + a * b })
// biome-ignore lint/suspicious/noExplicitAny: the value of a column
db.aggregate('mean', { start: () => ({ sum: 0 }), step: (state, value: any) => ({ sum: state.sum + value }) })
db.table('words', function (text) {
  return {
    columns: [this.table],
    rows: () =>
      text
        .split(' ')
        .map((word) => [word])
        .values() as unknown as Generator,
  }
})

// extensions
db.loadExtension('./compress.so')
