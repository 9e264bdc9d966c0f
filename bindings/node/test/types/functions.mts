import Database from 'strongroom'

const db = new Database(':memory:')

db.function('a', (x, y) => x + y)
  .function(
    'b',
    { deterministic: true, varargs: true, directOnly: false, safeIntegers: true },
    (...values) => values.length,
  )
  .function('c', (x: number, y: string, z?: Buffer) => (z === undefined ? x : y))
  .function('d', () => undefined)

db.aggregate('sum', { start: 0, step: (total, next) => total + next })
db.aggregate('average', {
  start: () => ({ sum: 0, count: 0 }),
  step: (state, value: number) => {
    state.sum += value
    state.count += 1
  },
  inverse: (state, value: number) => {
    state.sum -= value
    state.count -= 1
  },
  result: ({ sum, count }) => sum / count,
})
db.aggregate<string[]>('list', { start: () => [], step: (list, ...values) => [...list, ...values], result: String })
db.aggregate('last', { step: (_previous, value) => value, inverse: undefined, result: undefined })

db.table('sequence', {
  columns: ['value'],
  parameters: ['length', 'start'],
  safeIntegers: false,
  *rows(length: number, start = 0) {
    for (let value = start; value < start + length; value++) yield { value }
  },
})
db.table('words', function (...words) {
  const where: string = `${this.module} ${this.database} ${this.table}`
  return {
    columns: ['word'],
    *rows() {
      for (const word of [where, ...words]) yield [word]
    },
  }
})

// @ts-expect-error a function must follow
db.function('e', {})
// @ts-expect-error the name must be a string
db.function(1, () => 1)
// @ts-expect-error an option of the wrong type
db.function('f', { varargs: 1 }, () => 1)
// @ts-expect-error step must be given
db.aggregate('g', { start: 0 })
// @ts-expect-error columns must be given
db.table('h', { *rows() {} })
// @ts-expect-error rows must be a generator function
db.table('i', { columns: ['a'], rows: () => [[1]] })
