const Database = require('strongroom')
const { add, db, has } = require('./notes.js')

test('stores a note', () => {
  expect(add('buy milk')).toStrictEqual({ title: 'buy milk' })
  expect(has('buy milk')).toBe(true)
})

test('a failing statement throws a SqliteError', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
