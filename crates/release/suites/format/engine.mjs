// Writes files in the Strongroom format through the package, for test_engine.py.
//
//   node engine.mjs                          prints the names of the features
//   node engine.mjs FEATURE PACKAGE FOLDER   writes the files of a feature into an empty folder, and prints each file
//                                            with its secret, and either its rows or the beginning of the refusal
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  closed,
  Database,
  fill,
  folder,
  KEY,
  leftBehind,
  OTHER_KEY,
  open,
  PASSPHRASE,
  refused,
  rows,
  unlock,
  withSecret,
} from './files.mjs'

const [feature] = process.argv.slice(2)

/** Writes a database in WAL mode, and leaves committed frames in its WAL. */
function inWal(name, options) {
  const db = open(name, options)
  db.pragma('journal_mode = wal')
  db.pragma('wal_autocheckpoint = 0')
  fill(db, 0, 200)
  db.pragma('wal_checkpoint(TRUNCATE)')
  fill(db, 200, 300)
  db.exec('DELETE FROM item WHERE id % 3 = 0')
  return db
}

/** Begins a transaction that is too large for the page cache, so SQLite writes pages before the commit. */
function beginLarge(db) {
  db.pragma('cache_size = 1')
  db.exec("BEGIN; UPDATE item SET text = text || ' lost', value = randomblob(9000)")
}

/** Writes a file of more than 1 GiB, whose last rows lie beyond 1 GiB. */
function large(pageSize) {
  const db = open('large.db', { pageSize })
  fill(db, 0, 100)
  db.exec('CREATE TABLE large (id INTEGER PRIMARY KEY, value)')
  for (let id = 0; id < 17; id += 1) db.prepare('INSERT INTO large VALUES (?, zeroblob(?))').run(id, 64 << 20)
  fill(db, 0, 100, 'far')
  db.exec('DELETE FROM large WHERE id BETWEEN 3 AND 5')
  return [closed(db)]
}

const FEATURES = {
  'a raw key'() {
    const db = open('a.db')
    fill(db, 0, 300)
    return [closed(db), refused(db.name, 'wrong key: ', { key: OTHER_KEY })]
  },
  'a passphrase'() {
    const secret = { passphrase: PASSPHRASE }
    const db = open('a.db', { secret })
    fill(db, 0, 300)
    return [closed(db, secret), refused(db.name, 'wrong key: ', { passphrase: `${PASSPHRASE} ` })]
  },
  'every page size'() {
    return [1024, 2048, 4096, 8192, 16384, 32768, 65536].map((pageSize) => {
      const db = open(`${pageSize}.db`, { pageSize })
      fill(db, 0, 200)
      return closed(db)
    })
  },
  'a WAL that was left behind'() {
    return [1024, 4096, 65536].flatMap((pageSize) =>
      [{ key: KEY }, { passphrase: PASSPHRASE }].map((secret) => {
        const db = inWal(`${pageSize}-${Object.keys(secret)}.db`, { pageSize, secret })
        const copy = leftBehind(db)
        return { ...closed(db, secret), file: copy, beside: '-wal' }
      }),
    )
  },
  'a WAL with frames of a transaction that did not commit'() {
    const db = inWal('a.db')
    const committed = rows(db)
    beginLarge(db)
    const copy = leftBehind(db)
    db.exec('ROLLBACK')
    db.close()
    return [{ file: copy, key: KEY, rows: committed, beside: '-wal' }]
  },
  'a WAL after a checkpoint'() {
    const db = inWal('a.db')
    db.pragma('wal_checkpoint(RESTART)')
    fill(db, 1000, 1003) // overwrites the first frames; older frames follow
    const copy = leftBehind(db)
    return [{ ...closed(db), file: copy, beside: '-wal' }]
  },
  'every journal mode'() {
    return ['delete', 'truncate', 'persist', 'wal', 'memory', 'off'].map((mode) => {
      const db = open(`${mode}.db`)
      db.pragma(`journal_mode = ${mode}`)
      fill(db, 0, 100)
      db.exec('DELETE FROM item WHERE id % 2')
      fill(db, 100, 150)
      return closed(db)
    })
  },
  'a hot journal'() {
    const db = open('a.db')
    fill(db, 0, 300)
    beginLarge(db)
    const copy = leftBehind(db)
    db.exec('ROLLBACK')
    return [refused(copy, 'interrupted transaction: '), closed(db)]
  },
  auto_vacuum() {
    return ['full', 'incremental'].map((mode) => {
      const db = open(`${mode}.db`, { pageSize: 1024 })
      db.pragma(`auto_vacuum = ${mode}`)
      fill(db, 0, 500)
      db.exec('DELETE FROM item WHERE id BETWEEN 50 AND 450')
      db.pragma('incremental_vacuum(20)')
      fill(db, 1000, 1050)
      return closed(db)
    })
  },
  VACUUM() {
    const db = open('a.db')
    fill(db, 0, 500)
    db.exec('DELETE FROM item WHERE id % 4; VACUUM')
    return [closed(db)]
  },
  'deleted pages'() {
    const db = open('deleted.db')
    fill(db, 0, 500)
    db.exec('DELETE FROM item WHERE id > 20')
    // One transaction allocates pages and frees them, and the cache holds them all.
    db.pragma('cache_size = -100000')
    db.exec('BEGIN; CREATE TABLE brief (value); INSERT INTO brief VALUES (zeroblob(20000000))')
    db.exec("INSERT INTO item (text, value) VALUES ('behind the freed pages', zeroblob(10000))")
    db.exec('DELETE FROM brief; COMMIT')
    return [closed(db)]
  },
  'long values'() {
    const db = open('a.db')
    db.exec('CREATE TABLE long (id INTEGER PRIMARY KEY, value)')
    for (const length of [4000, 4055, 4056, 4057, 8192, 1_000_003]) {
      db.prepare('INSERT INTO long (value) VALUES (?)').run(Buffer.alloc(length, length))
      db.prepare('INSERT INTO long (value) VALUES (zeroblob(?))').run(length)
      db.prepare('INSERT INTO long (value) VALUES (?)').run('ö'.repeat(length))
    }
    return [closed(db)]
  },
  'a changed key'() {
    return [{ key: OTHER_KEY }, { passphrase: PASSPHRASE }].flatMap((secret, index) => {
      const db = open(`${index}.db`)
      fill(db, 0, 300)
      db.rekey(unlock(secret))
      fill(db, 300, 320)
      return [closed(db, secret), refused(db.name, 'wrong key: ')]
    })
  },
  'key slots'() {
    const db = open('a.db')
    fill(db, 0, 300)
    const [own] = db.keys.list()
    const { id } = db.keys.add({ passphrase: 'another', label: 'Ärztin 🔑' })
    const { code } = db.keys.add({ recovery: true, label: 'on paper' })
    db.keys.remove(db.keys.add(unlock({ key: OTHER_KEY })).id)
    db.keys.change(id, { passphrase: PASSPHRASE })
    db.keys.change(own.id, { label: '94 bytes '.padEnd(94, '-') })
    const slots = db.keys.list()
    const found = { ...closed(db), slots }
    const refusals = [{ key: OTHER_KEY }, { passphrase: 'another' }].map((key) => refused(db.name, 'wrong key: ', key))
    const typed = refused(db.name, 'typing error: ', { recovery: code.slice(1) })
    return [
      found,
      withSecret(found, { passphrase: PASSPHRASE }),
      withSecret(found, { recovery: code }),
      ...refusals,
      typed,
    ]
  },
  async 'a rotated data key'() {
    const db = open('a.db')
    fill(db, 0, 300)
    const { code } = db.keys.add({ recovery: true, label: 'on paper' })
    const slots = db.keys.list()
    db.keys.add({ passphrase: PASSPHRASE })
    const found = { file: db.name, key: KEY, rows: rows(db), slots }
    await db.keys.rotate({ secrets: [{ recovery: code }], dropOthers: true })
    return [found, withSecret(found, { recovery: code }), refused(db.name, 'wrong key: ', { passphrase: PASSPHRASE })]
  },
  async 'a backup'() {
    const db = open('a.db')
    fill(db, 0, 300)
    const target = join(folder, 'backup.db')
    await db.backup(target)
    const source = closed(db)
    return [source, { ...source, file: target }]
  },
  'the target of VACUUM INTO'() {
    const db = open('a.db', { pageSize: 8192 })
    fill(db, 0, 300)
    const target = join(folder, 'into.db')
    db.prepare('VACUUM INTO ?').run(target)
    const source = closed(db)
    return [source, { ...source, file: target }]
  },
  'an attached file'() {
    const secret = { passphrase: PASSPHRASE }
    const other = open('other.db', { secret, pageSize: 1024 })
    fill(other, 0, 50)
    other.close()
    const db = open('main.db')
    fill(db, 0, 100)
    db.attach(other.name, 'other', unlock(secret))
    db.exec('BEGIN; INSERT INTO other.item SELECT * FROM item WHERE id >= 50; DELETE FROM item WHERE id < 50; COMMIT')
    const main = closed(db)
    return [main, closed(open('other.db', { secret }), secret)]
  },
  async 'a conversion from a plain file'() {
    const path = join(folder, 'a.db')
    const plain = new Database(path)
    fill(plain, 0, 300)
    const before = rows(plain)
    plain.close()
    await Database.encrypt(path, { format: 'strongroom', ...unlock({ key: KEY }) })
    return [{ file: path, key: KEY, rows: before }]
  },
  async 'a conversion from SQLCipher'() {
    const path = join(folder, 'a.db')
    const from = unlock({ passphrase: PASSPHRASE })
    const sqlcipher = new Database(path, from)
    fill(sqlcipher, 0, 300)
    const before = rows(sqlcipher)
    sqlcipher.close()
    await Database.migrate(path, { from, to: { format: 'strongroom', ...unlock({ key: KEY }) } })
    return [{ file: path, key: KEY, rows: before }]
  },
  'an image'() {
    const db = open('a.db')
    fill(db, 0, 300)
    const file = join(folder, 'image.db')
    writeFileSync(file, db.serialize(unlock({ key: KEY })))
    return [{ ...closed(db), file }]
  },
  'no table'() {
    const db = open('a.db')
    return [closed(db)]
  },
  '1 GiB in pages of 4,096 bytes': () => large(4096),
  '1 GiB in pages of 65,536 bytes': () => large(65_536),
}

if (feature === undefined) {
  console.log(JSON.stringify(Object.keys(FEATURES)))
} else {
  mkdirSync(folder, { recursive: true })
  console.log(JSON.stringify(await FEATURES[feature]()))
}
