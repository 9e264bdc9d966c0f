// The types of strongroom/async as a module with `import` sees them.
import { SqliteError as SyncError } from 'strongroom'
import {
  AsyncDatabase,
  type AsyncParameters,
  type AsyncRowIterator,
  type AsyncSnapshot,
  type AsyncStatement,
  type AsyncTransaction,
  type BackupMetadata,
  type BindValue,
  type CheckResult,
  type ColumnDefinition,
  type OpenOptions,
  open,
  type Row,
  type RunResult,
  SqliteError,
  type SqliteErrorCode,
} from 'strongroom/async'
import { type Exact, equal } from './exact.mjs'

const { signal } = new AbortController()
const options: OpenOptions = {
  passphrase: 'p',
  readonly: true,
  timeout: 100,
  readers: 2,
  maxQueue: 100,
  transactionWarning: 0,
}
const db = await open('x.db', options)
equal<Exact<typeof db, AsyncDatabase>>(true)
equal<Exact<typeof db.readers, number>>(true)
equal<Exact<typeof db.format, 'plain' | 'sqlcipher' | 'strongroom'>>(true)
await open()
await open(':memory:', null)
await open(new Uint8Array(4096), { key: Buffer.alloc(32), format: 'strongroom' })
// @ts-expect-error JavaScript functions run on the main thread
open('x.db', { verbose: console.log })
// @ts-expect-error the option is spelled readers
open('x.db', { reader: 2 })
// @ts-expect-error open() makes databases
new AsyncDatabase('x.db')

interface Cat {
  name: string
  age: number
}
equal<Exact<Awaited<ReturnType<typeof db.run>>, RunResult>>(true)
const row = await db.get('SELECT * FROM cats')
equal<Exact<typeof row, Row | undefined>>(true)
const cat = await db.get<Cat>('SELECT * FROM cats WHERE name = ?', ['joey'], { signal })
equal<Exact<typeof cat, Cat | undefined>>(true)
const cats = await db.all<Cat>('SELECT * FROM cats WHERE name = :name', { name: 'joey' })
equal<Exact<typeof cats, Cat[]>>(true)
for await (const one of db.iterate<Cat>('SELECT * FROM cats', [], { signal })) equal<Exact<typeof one, Cat>>(true)
const rows = db.iterate('SELECT * FROM cats')
equal<Exact<typeof rows, AsyncRowIterator<Row>>>(true)
const first = await rows.next()
if (first.done === true) equal<Exact<typeof first.value, undefined>>(true)
else equal<Exact<typeof first.value, Row>>(true)
await rows.return()
await db.exec('DELETE FROM cats', { signal })
equal<Exact<ReturnType<typeof db.exec>, Promise<void>>>(true)
const version = (await db.pragma('user_version', { simple: true, signal })) as number
console.log(version)
const values: AsyncParameters = [1, 2n, 'three', null, undefined, new Uint8Array(4), { five: 5 }]
const named: Record<string, BindValue> = { a: 1 }
await db.run('INSERT INTO cats VALUES (?)', values)
await db.run('INSERT INTO cats VALUES (:a)', named)
await db.run('INSERT INTO cats DEFAULT VALUES', null, null)
declare const joey: Cat
await db.run('INSERT INTO cats VALUES (:name, :age)', joey)
// @ts-expect-error a value has one of SQLite's types
db.run('INSERT INTO cats VALUES (:name)', { name: true })
// @ts-expect-error bytes are a value, and not the list of the values
db.run('INSERT INTO cats VALUES (?)', new Uint8Array(4))
// @ts-expect-error params are an array or an object
db.get('SELECT ?', 5)
// @ts-expect-error a value has one of SQLite's types
db.get('SELECT ?', [true])
// @ts-expect-error a signal is an AbortSignal
db.get('SELECT 1', [], { signal: 5 })
// @ts-expect-error the option is spelled signal
db.exec('SELECT 1', { abort: signal })

const untyped = await db.prepare('SELECT 1')
equal<Exact<typeof untyped, AsyncStatement<AsyncParameters, unknown>>>(true)
const typed = await db.prepare<[string, number], Cat>('SELECT * FROM cats WHERE name = ? AND age > ?', { signal })
equal<Exact<Awaited<ReturnType<typeof typed.get>>, Cat | undefined>>(true)
equal<Exact<Awaited<ReturnType<typeof typed.all>>, Cat[]>>(true)
equal<Exact<Awaited<ReturnType<typeof typed.columns>>, ColumnDefinition[]>>(true)
await typed.get(['joey', 2], { signal })
// @ts-expect-error the second value is a number
typed.get(['joey', '2'])
// @ts-expect-error the second value is missing
typed.get(['joey'])
const insert = await db.prepare<{ name: string }>('INSERT INTO cats (name) VALUES (:name)')
await insert.run({ name: 'joey' })
// @ts-expect-error name is missing
insert.run({})
await (await db.prepare<Cat>('INSERT INTO cats VALUES (:name, :age)')).run(joey)
const names = typed.pluck<string>()
for await (const name of names.iterate(['joey', 2])) equal<Exact<typeof name, string>>(true)
equal<Exact<Awaited<ReturnType<ReturnType<typeof typed.raw<[string, number]>>['all']>>, [string, number][]>>(true)
equal<Exact<ReturnType<typeof typed.safeIntegers>, typeof typed>>(true)

const result = await db.transaction(
  async (tx) => {
    equal<Exact<typeof tx, AsyncTransaction>>(true)
    const { lastInsertRowid } = await tx.run('INSERT INTO cats VALUES (?)', ['joey'])
    await tx.transaction((inner) => inner.exec('DELETE FROM cats'))
    // @ts-expect-error a transaction has no snapshots
    tx.read?.(() => 1)
    return lastInsertRowid
  },
  { behavior: 'deferred', signal },
)
equal<Exact<typeof result, number | bigint>>(true)
equal<Exact<Awaited<ReturnType<typeof db.transaction<number>>>, number>>(true)
const plain = await db.transaction(() => 'value')
equal<Exact<typeof plain, string>>(true)
// @ts-expect-error SQLite has no such behavior
db.transaction(() => {}, { behavior: 'concurrent' })
const counted = await db.read(async (snapshot) => {
  equal<Exact<typeof snapshot, AsyncSnapshot>>(true)
  // @ts-expect-error a snapshot has no method that writes
  snapshot.run?.('DELETE FROM cats')
  return (await snapshot.all('SELECT * FROM cats')).length
})
equal<Exact<typeof counted, number>>(true)

const copied = await db.backup('copy.db', { plain: true, signal, progress: ({ remainingPages }) => remainingPages })
equal<Exact<typeof copied, BackupMetadata>>(true)
const checked = await db.check({ attached: 'main', signal, progress: ({ totalPages }) => totalPages < 5 })
equal<Exact<typeof checked, CheckResult>>(true)
await db.rekey({ passphrase: 'q' }, { signal, progress: ({ done, total }) => done < total })
equal<Exact<ReturnType<typeof db.rekey>, Promise<void>>>(true)
equal<Exact<ReturnType<typeof db.defaultSafeIntegers>, AsyncDatabase>>(true)

try {
  await db.close()
} catch (error) {
  if (error instanceof SqliteError && error instanceof SyncError) {
    const code: SqliteErrorCode = 'STRONGROOM_QUEUE_FULL'
    if (error.code === code) throw error
  }
}
await db[Symbol.asyncDispose]()
