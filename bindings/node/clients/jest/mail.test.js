const Database = require('strongroom')
const { add, db, has } = require('./notes.js')

test('stores a note', () => {
  expect(add('answer the mail')).toStrictEqual({ title: 'answer the mail' })
  expect(has('answer the mail')).toBe(true)
})

test('throws the error of a statement', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
