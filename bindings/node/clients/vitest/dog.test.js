import Database from 'strongroom'
import { expect, test } from 'vitest'
import { add, db, has } from './notes.js'

test('stores a note', () => {
  expect(add('walk the dog')).toStrictEqual({ title: 'walk the dog' })
  expect(has('walk the dog')).toBe(true)
})

test('a failing statement throws a SqliteError', () => {
  expect(() => db.exec('SELECT missing')).toThrow(Database.SqliteError)
})
