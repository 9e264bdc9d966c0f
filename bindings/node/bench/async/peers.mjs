// The adapters of the asynchronous measurements. Each has the same functions, whose results may be promises:
//   open(file, readers)   opens the file, and returns a connection
//   get(db, sql)          prepares a query of one row, and returns a function of the query's only parameter
//   all(db, sql)          returns all rows of a query
//   each(db, sql, row)    calls a function for each row; absent if the package has no such call
//   close(db)
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { keyPragmas, RAW_KEY, SETTINGS } from '../peers/settings.mjs'

const here = createRequire(import.meta.url)
const bench = createRequire(new URL('../bench.mjs', import.meta.url))

const strongroomOptions = (cipher) => (cipher === undefined ? {} : { key: Buffer.from(RAW_KEY, 'hex') })

/** `strongroom/async`. `module` is the folder of a package. */
function asynchronous({ module, cipher }) {
  return {
    async open(file, readers = 2) {
      const { open } = here(join(module, 'dist/async.js'))
      const db = await open(file, { ...strongroomOptions(cipher), readers })
      for (const pragma of SETTINGS) await db.pragma(pragma)
      return db
    },
    async get(db, sql) {
      const statement = await db.prepare(sql)
      return (id) => statement.get([id])
    },
    all: (db, sql) => db.all(sql),
    async each(db, sql, row) {
      for await (const each of db.iterate(sql)) row(each)
    },
    close: (db) => db.close(),
  }
}

/** A package with better-sqlite3's API. */
function synchronous({ module, from = here, options = () => ({}), pragma = (db, text) => db.pragma(text), cipher }) {
  return {
    open(file) {
      const Database = from(module)
      const db = new Database(file, options(cipher))
      for (const text of SETTINGS) pragma(db, text)
      return db
    },
    get(db, sql) {
      const statement = db.prepare(sql)
      return (id) => statement.get(id)
    },
    all: (db, sql) => db.prepare(sql).all(),
    each(db, sql, row) {
      for (const each of db.prepare(sql).iterate()) row(each)
    },
    close: (db) => db.close(),
  }
}

/** The promises of libsql. */
function libsqlPromises({ cipher }) {
  return {
    async open(file) {
      const Database = here('libsql/promise')
      const db = new Database(file, libsqlOptions(cipher))
      for (const pragma of SETTINGS) await (await db.prepare(`PRAGMA ${pragma}`)).all()
      return db
    },
    async get(db, sql) {
      const statement = await db.prepare(sql)
      return (id) => statement.get(id)
    },
    all: async (db, sql) => (await db.prepare(sql)).all(),
    async each(db, sql, row) {
      for await (const each of await (await db.prepare(sql)).iterate()) row(each)
    },
    close: (db) => db.close(),
  }
}

function libsqlOptions(cipher) {
  return cipher === undefined ? {} : { encryptionCipher: cipher, encryptionKey: RAW_KEY }
}

/** A package with node-sqlite3's callbacks. */
function callbacks({ module, cipher }) {
  const promised = (call) =>
    new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))))
  const statements = []
  return {
    async open(file) {
      const { Database } = here(module)
      let db
      await promised((done) => {
        db = new Database(file, done)
      })
      for (const pragma of [...keyPragmas(cipher, 'raw'), ...SETTINGS])
        await promised((done) => db.all(`PRAGMA ${pragma}`, done))
      return db
    },
    async get(db, sql) {
      let statement
      await promised((done) => {
        statement = db.prepare(sql, done)
      })
      statements.push(statement)
      return (id) => promised((done) => statement.get(id, done))
    },
    all: (db, sql) => promised((done) => db.all(sql, done)),
    each: (db, sql, row) => promised((done) => db.each(sql, (_, each) => row(each), done)),
    async close(db) {
      for (const statement of statements) await promised((done) => statement.finalize(done))
      await promised((done) => db.close(done))
    },
  }
}

/**
 * The configurations. `file` names the file that a configuration reads: configurations with the same format read the
 * same file. `kind` is how the package runs SQL, and `needs` the oldest Node that loads the package.
 */
export function configurations(folder) {
  const own = [
    ['', undefined],
    ['/sqlcipher', 'sqlcipher'],
    ['/strongroom', 'strongroom'],
  ]
  const on = (kind, api, name) =>
    own.map(([suffix, cipher]) => ({ name: `${name}${suffix}`, api, kind, module: folder, cipher, own: true }))
  return [
    ...on('threads', 'async', 'strongroom/async'),
    ...on('blocks', 'strongroom', 'strongroom'),
    { name: 'sqlite3', api: 'callbacks', kind: 'callbacks', module: 'sqlite3' },
    { name: '@journeyapps/sqlcipher', api: 'callbacks', kind: 'callbacks', module: '@journeyapps/sqlcipher' },
    {
      name: '@journeyapps/sqlcipher, encrypted',
      api: 'callbacks',
      kind: 'callbacks',
      module: '@journeyapps/sqlcipher',
      cipher: 'sqlcipher',
    },
    { name: 'better-sqlite3', api: 'better-sqlite3', kind: 'blocks', module: 'better-sqlite3', needs: '22.14.0' },
    { name: 'libsql', api: 'libsql', kind: 'blocks', module: 'libsql' },
    { name: 'libsql/promise', api: 'libsql/promise', kind: 'promises', module: 'libsql' },
    {
      name: 'libsql/promise, aes256cbc',
      api: 'libsql/promise',
      kind: 'promises',
      module: 'libsql',
      cipher: 'aes256cbc',
    },
  ]
}

const adapters = {
  async: asynchronous,
  strongroom: ({ module, cipher }) => synchronous({ module, cipher, options: strongroomOptions }),
  callbacks,
  'better-sqlite3': ({ module }) => synchronous({ module, from: bench }),
  libsql: ({ module, cipher }) =>
    synchronous({ module, cipher, options: libsqlOptions, pragma: (db, text) => db.prepare(`PRAGMA ${text}`).all() }),
  'libsql/promise': libsqlPromises,
}

export function adapterOf(configuration) {
  return adapters[configuration.api](configuration)
}
