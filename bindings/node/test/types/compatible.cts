// Programs that compile with @types/better-sqlite3 compile with these types, unchanged but for the package's name.
import Database = require('strongroom')

interface Cat {
  id: number
  name: string
  nickname?: string
}
declare const cat: Cat
declare const anything: unknown[]
declare const record: Record<string, unknown>
declare const bytes: Buffer

// Opening.
const options: Database.Options = {
  readonly: true,
  fileMustExist: true,
  timeout: 1000,
  verbose: console.log,
  nativeBinding: '/addons/bindings_node.node',
}
const absent: Database.Options = {
  readonly: undefined,
  fileMustExist: undefined,
  timeout: undefined,
  verbose: undefined,
  nativeBinding: undefined,
}
const shown: unknown[] = []
const verbose: Database.Options = { verbose: (message, ...more) => shown.push(message, ...more) }
const db: Database.Database = new Database('cats.db', options)
const others = [new Database(), new Database(bytes), Database('cats.db', absent), Database(), Database('x', verbose)]
class Shelter extends Database {
  constructor(file: string) {
    super(file, { timeout: 5 })
    this.exec('CREATE TABLE IF NOT EXISTS cat (id INTEGER PRIMARY KEY, name TEXT)')
  }
  find(id: number): Cat | undefined {
    return this.prepare<[number], Cat>('SELECT * FROM cat WHERE id = ?').get(id)
  }
}
const shelter: Database.Database = new Shelter('cats.db')
const isOurs: boolean = db instanceof Database
const proto: Database.Database = Database.prototype
const state: [boolean, boolean, boolean, boolean, string] = [db.memory, db.readonly, db.open, db.inTransaction, db.name]

// Methods of a database: each returns the database.
const chained: Database.Database = db
  .exec('SELECT 1')
  .defaultSafeIntegers()
  .defaultSafeIntegers(true)
  .unsafeMode()
  .unsafeMode(false)
  .close()
const pragmaOptions: Database.PragmaOptions = { simple: true }
const version = db.pragma('user_version', { simple: true }) as number
const columns = db.pragma('table_info(cat)') as { name: string; pk: number }[]
const sameVersion = db.pragma('user_version', pragmaOptions) as bigint
const backupOptions: Database.BackupOptions = {
  progress: ({ totalPages, remainingPages }) => totalPages - remainingPages,
}
const progress: Promise<Database.BackupMetadata> = db.backup('copy.db', backupOptions)
db.backup('copy.db').then(({ totalPages, remainingPages }) => console.log(totalPages + remainingPages))
const serializeOptions: Database.SerializeOptions = { attached: 'main' }
const image: Buffer = db.serialize(serializeOptions)

// Statements.
const untyped: Database.Statement = db.prepare('SELECT 1')
const list: Database.Statement<unknown[]> = db.prepare('SELECT 1')
const typed: Database.Statement<[string, number], Cat> = db.prepare('SELECT * FROM cat WHERE name = ? AND id > ?')
const named: Database.Statement<{ id: number }, Cat> = db.prepare<{ id: number }, Cat>(
  'SELECT * FROM cat WHERE id = @id',
)
const single = db.prepare<string, Cat>('SELECT * FROM cat WHERE name = ?')
const statements: Database.Statement[] = [untyped, list, typed, named, single]
const byName = new Map<string, Database.Statement<unknown[], unknown>>([['typed', typed]])
const row: Cat | undefined = typed.get('joey', 2)
const rows: Cat[] = named.all({ id: 2 })
const info: Database.RunResult = untyped.run(1, 'two', 3n, null, undefined, bytes, new Date(), true)
const changes: number = info.changes
const rowid: number | bigint = info.lastInsertRowid
for (const each of single.iterate('joey')) console.log(each.nickname)
const iterator: IterableIterator<Cat> = typed.iterate('joey', 2)
db.prepare('x').run(cat)
db.prepare('x').run(record)
db.prepare('x').get([1, 2], { three: 3 })
db.prepare('x').all(...anything)
const cast = db.prepare('x').get() as Cat
const list2 = db.prepare('x').all() as Cat[]
const plucked = db.prepare('SELECT count(*) FROM cat').pluck().get() as number
const sameType: Database.Statement<[string], number> = db.prepare<[string], number>('x').pluck().pluck(false)
const many: number[] = db.prepare<[], number>('x').pluck().all()
const arrays: [number, string][] = db.prepare<[], [number, string]>('x').raw().raw(true).all()
const joined = db.prepare('x').expand().expand(false).all() as { cat: Cat }[]
const bound: Database.Statement<[string], Cat> = db
  .prepare<[string], Cat>('x')
  .bind('joey')
  .safeIntegers()
  .safeIntegers(false)
const definitions: Database.ColumnDefinition[] = typed.columns()
const { name, column, table, database, type }: Database.ColumnDefinition = {
  name: 'a',
  column: null,
  table: null,
  database: null,
  type: null,
}
const about: [Database.Database, string, boolean, boolean, boolean] = [
  typed.database,
  typed.source,
  typed.reader,
  typed.readonly,
  typed.busy,
]
function prepare<BindParameters extends unknown[], Result>(
  database: Database.Database,
  sql: string,
): Database.Statement<BindParameters, Result> {
  return database.prepare<BindParameters, Result>(sql)
}
function first<Result>(statement: Database.Statement<unknown[], Result>): Result | undefined {
  return statement.get()
}
const generic: Cat | undefined = first(prepare<[number], Cat>(db, 'x'))
class Repository<Row> {
  readonly #find: Database.Statement<[number], Row>
  constructor(database: Database.Database, sql: string) {
    this.#find = database.prepare<[number], Row>(sql)
  }
  find(id: number): Row | undefined {
    return this.#find.get(id)
  }
}
const repository = new Repository<Cat>(db, 'x').find(1)?.name

// Transactions.
const nothing: Database.Transaction = db.transaction(() => 1)
const insert = db.transaction((cats: Cat[], note?: string) => cats.length + (note?.length ?? 0))
const inserted: number = insert([cat]) + insert.default([cat], 'a')
const variants: number = insert.deferred([cat]) + insert.immediate([cat], 'a') + insert.exclusive([cat])
const insertType: Database.Transaction<(cats: Cat[], note?: string) => number> = insert
const transactions: Database.Transaction[] = [nothing, insert]
const untypedParameters = db.transaction((cats) => {
  for (const one of cats) untyped.run(one)
})
untypedParameters([cat])
const withThis = db.transaction(function (this: unknown, id: number) {
  return [this, id]
})
withThis(1)
const genericWork = db.transaction(<T,>(value: T): T => value)
const asFunction: (cats: Cat[]) => number = insert

// Errors.
try {
  shelter.close()
} catch (error) {
  if (!(error instanceof Database.SqliteError)) throw error
  const code: string = error.code
  if (error.code === 'SQLITE_BUSY' || code.startsWith('SQLITE_CONSTRAINT')) console.log(error.name, error.message)
}
const own: Error = new Database.SqliteError('message', 'ANY_CODE')
class OwnError extends Database.SqliteError {}
const errorClass: typeof Database.SqliteError = OwnError

export = {
  others,
  isOurs,
  proto,
  state,
  chained,
  version,
  columns,
  sameVersion,
  progress,
  image,
  statements,
  byName,
  row,
  rows,
  changes,
  rowid,
  iterator,
  cast,
  list2,
  plucked,
  sameType,
  many,
  arrays,
  joined,
  bound,
  definitions,
  name,
  column,
  table,
  database,
  type,
  about,
  generic,
  repository,
  inserted,
  variants,
  insertType,
  transactions,
  genericWork,
  asFunction,
  own,
  errorClass,
}
