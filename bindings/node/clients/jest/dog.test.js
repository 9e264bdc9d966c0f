const Database = require('strongroom')
const { add, db, has } = require('./notes.js')

test('stores a note', () => {
  expect(add('walk the dog')).toStrictEqual({ title: 'walk the dog' })
  expect(has('walk the dog')).toBe(true)
})

test('throws the error of a statement', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
