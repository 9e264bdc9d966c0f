// Our own programs with the API calls of better-sqlite3's documentation. Each program also compiles with
// @types/better-sqlite3.
import { createWriteStream, readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import Database from 'strongroom'

interface Book {
  title: string
  pages: number
}
const db = new Database('library.db', { verbose: console.log })
const memory = new Database(':memory:')

// prepare, run, get, all, iterate
const add = db.prepare('INSERT INTO book (title, pages) VALUES (?, ?)')
console.log(add.run('Emma', 474).changes)
const one = db.prepare('SELECT pages FROM book WHERE title = ?').get('Emma') as Book | undefined
console.log(one?.pages)
const titled = db.prepare('SELECT * FROM book WHERE title = ?')
console.log(titled.all('Emma').length)
for (const book of titled.iterate('Emma') as IterableIterator<Book>) {
  if (book.pages > 400) break
}

// transaction
const insert = db.prepare('INSERT INTO book (title, pages) VALUES (@title, @pages)')
const insertAll = db.transaction((books) => {
  for (const book of books) insert.run(book)
})
const books: Book[] = [
  { title: 'Emma', pages: 474 },
  { title: 'Persuasion', pages: 249 },
]
insertAll(books)
insertAll.deferred(books)
insertAll.immediate(books)
insertAll.exclusive(books)
const note = db.prepare('INSERT INTO note (text) VALUES (?)')
const buy = db.transaction((bought: Book[]) => {
  note.run('bought')
  insertAll(bought)
})
try {
  buy(books)
} catch (error) {
  if (!db.inTransaction) throw error
}

// pragma
db.pragma('cache_size = 32000')
console.log(db.pragma('cache_size', { simple: true }))
const mode: string = (db.pragma('journal_mode') as { journal_mode: string }[])[0]?.journal_mode ?? ''
console.log(mode)

// backup
db.backup(`library-${Date.now()}.db`)
  .then(() => console.log('done'))
  .catch((error) => console.log('failed', error))
let paused = false
await db.backup('library-copy.db', {
  progress({ totalPages: total, remainingPages: remaining }) {
    paused = remaining > total / 2
    return paused ? 0 : 200
  },
})

// serialize
const image = db.serialize()
const copy = new Database(image)

// exec and close
db.exec(readFileSync('schema.sql', 'utf8'))
process.on('exit', () => db.close())

// pluck, expand, raw, columns
titled.pluck()
titled.pluck(true)
titled.pluck(false)
titled.raw()
titled.raw(true)
titled.raw(false)
titled.expand()
titled.expand(true)
titled.expand(false)
function* table(statement: Database.Statement): Iterable<unknown[]> {
  yield statement.columns().map((column) => column.name)
  yield* statement.raw().iterate() as IterableIterator<unknown[]>
}
const stream = createWriteStream('books.csv')
for (const row of table(titled)) stream.write(`${row.join(',')}\n`)

// bind, toString, and the properties
const bound = db.prepare('SELECT * FROM book WHERE title = ?').bind('Emma')
console.log((bound.get() as Book).title, bound.toString())
console.log(bound.database.name, bound.source, bound.reader, bound.readonly, bound.busy)

// binding
const people = db.prepare('INSERT INTO person VALUES (?, ?, ?)')
people.run('Jane', 'Austen', 41)
people.run(['Jane', 'Austen', 41])
people.run(['Jane'], ['Austen', 41])
people.run(41, { first: 'Jane' })

// big integers, unsafe mode, threads
db.defaultSafeIntegers().defaultSafeIntegers(true).defaultSafeIntegers(false)
titled.safeIntegers().safeIntegers(true).safeIntegers(false)
db.prepare('SELECT ?').get(2n ** 63n - 1n)
db.unsafeMode().unsafeMode(true).unsafeMode(false)
parentPort?.on('message', ({ sql, parameters }) => {
  parentPort?.postMessage(db.prepare(sql).all(...parameters))
})
copy.close()
memory.close()
