const Database = require('strongroom')
const { add, db, has } = require('./notes.js')

test('stores a note', () => {
  expect(add('walk the dog')).toStrictEqual({ title: 'walk the dog' })
  expect(has('walk the dog')).toBe(true)
})

test('a failing statement throws a SqliteError', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
