import assert from 'node:assert/strict'
import Strongroom from 'strongroom'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
assert.ok(db instanceof Strongroom)
assert.match(db.prepare<[], string>('SELECT vec_version()').pluck().get() ?? '', /^v\d/)

const notes: [title: string, embedding: number[]][] = [
  ['buy milk', [0.9, 0.1, 0]],
  ['buy bread', [0.8, 0.3, 0]],
  ['call the plumber', [0, 0.1, 0.9]],
]
db.exec('CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT NOT NULL)')
for (const [title] of notes) db.prepare('INSERT INTO note (title) VALUES (?)').run(title)

// A migration gives each note a vector.
db.transaction(() => {
  db.exec('CREATE VIRTUAL TABLE note_vector USING vec0(embedding float[3])')
  const insert = db.prepare('INSERT INTO note_vector (rowid, embedding) VALUES (?, ?)')
  const ids = db.prepare<[string], bigint>('SELECT id FROM note WHERE title = ?').pluck().safeIntegers()
  for (const [title, embedding] of notes) insert.run(ids.get(title), new Float32Array(embedding))
  db.pragma('user_version = 1')
})()

assert.throws(
  db.transaction(() => {
    db.exec('DELETE FROM note_vector')
    throw new Error('rolled back')
  }),
  /rolled back/,
)
assert.throws(() => db.prepare('INSERT INTO note_vector (embedding) VALUES (?)').run(new Float32Array([1, 2])), {
  code: 'SQLITE_ERROR',
  message: /Dimension mismatch/,
})

const nearest = db.prepare(`
  SELECT title, round(distance, 3) AS distance
  FROM note_vector JOIN note ON note.id = note_vector.rowid
  WHERE embedding MATCH ? AND k = 2
  ORDER BY distance`)
assert.deepEqual(nearest.all(new Float32Array([1, 0, 0])), [
  { title: 'buy milk', distance: 0.141 },
  { title: 'buy bread', distance: 0.361 },
])
assert.deepEqual(db.check().problems, [])
db.close()
