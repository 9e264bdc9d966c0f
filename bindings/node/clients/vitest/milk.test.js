import Database from 'strongroom'
import { expect, test } from 'vitest'
import { add, db, has } from './notes.js'

test('stores a note', () => {
  expect(add('buy milk')).toStrictEqual({ title: 'buy milk' })
  expect(has('buy milk')).toBe(true)
})

test('a failing statement throws a SqliteError', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
