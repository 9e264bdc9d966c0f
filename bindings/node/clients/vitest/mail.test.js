import Database from 'strongroom'
import { expect, test } from 'vitest'
import { add, db, has } from './notes.js'

test('stores a note', () => {
  expect(add('answer the mail')).toStrictEqual({ title: 'answer the mail' })
  expect(has('answer the mail')).toBe(true)
})

test('a failing statement throws a SqliteError', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
