// The types as a module with `import` sees them.
import Database, {
  type AttachOptions,
  type BackupMetadata,
  type BackupOptions,
  type CheckOptions,
  type CheckProblem,
  type CheckResult,
  type DecryptOptions,
  type MigrateKey,
  type MigrateKeys,
  type MigrateOptions,
  type MigrateProgress,
  type MigrateResult,
  type Options,
  type RunResult,
  type SerializeOptions,
  SqliteError,
  type SqliteErrorCode,
  type Statement,
  type Transaction,
} from 'strongroom'
import { type Exact, equal } from './exact.mjs'

const options: Options = { key: Buffer.alloc(32), readonly: true, timeout: 100, verbose: console.log }
const db: Database = new Database('x.db', options)
const called: Database.Database = Database(':memory:', { verbose: (sql: string) => console.log(sql.length) })
equal<Exact<typeof db.open, boolean>>(true)
equal<Exact<typeof db.name, string>>(true)

const select = db.prepare('SELECT 1')
equal<Exact<typeof select, Statement<unknown[], unknown>>>(true)
equal<Exact<typeof select, Statement>>(true)
equal<Exact<ReturnType<typeof select.get>, unknown>>(true)
equal<Exact<ReturnType<typeof select.all>, unknown[]>>(true)
equal<Exact<ReturnType<typeof select.run>, RunResult>>(true)
equal<Exact<ReturnType<typeof select.pluck>, Statement>>(true)
const plucked = select.pluck<string>()
equal<Exact<ReturnType<typeof plucked.get>, string | undefined>>(true)
const raw = select.raw<[number, string]>()
equal<Exact<ReturnType<typeof raw.all>, [number, string][]>>(true)
for (const value of raw.iterate(1, 2n, 'three', null, new Uint8Array(4), { five: 5 }))
  equal<Exact<typeof value, [number, string]>>(true)

interface Cat {
  name: string
  age: number
}
const cats = db.prepare<[string, number], Cat>('SELECT * FROM cats WHERE name = ? AND age > ?')
equal<Exact<ReturnType<typeof cats.get>, Cat | undefined>>(true)
cats.get('joey', 2)
// @ts-expect-error the second parameter is a number
cats.get('joey', '2')
// @ts-expect-error the second parameter is missing
cats.get('joey')
const named = db.prepare<Cat>('INSERT INTO cats VALUES (:name, :age)')
named.run({ name: 'joey', age: 2 })
// @ts-expect-error age is missing
named.run({ name: 'joey' })

const add = db.transaction((first: string, second: number) => first.length + second)
equal<Exact<ReturnType<typeof add>, number>>(true)
const transaction: Transaction<(first: string, second: number) => number> = add
transaction.immediate('a', 1)
// @ts-expect-error the arguments must match the function's parameters
add(1, 'a')

equal<Exact<ReturnType<typeof db.exec>, Database>>(true)
const version = db.pragma('user_version', { simple: true }) as number
const rows = db.pragma('table_list') as { name: string }[]
console.log(version, rows[0]?.name)

const migrateOptions: MigrateOptions = { signal: new AbortController().signal, keep: 'old.db', timeout: 5 }
const encrypted = Database.encrypt('x.db', { key: Buffer.alloc(32) }, migrateOptions)
equal<Exact<typeof encrypted, Promise<MigrateResult>>>(true)
const decryptOptions: DecryptOptions = { from: { passphrase: 'p' }, progress: (now: MigrateProgress) => now.done < 5 }
equal<Exact<ReturnType<typeof Database.decrypt>, Promise<MigrateResult>>>(true)
Database.decrypt('x.db', decryptOptions)
const plain: MigrateKey = { plain: true }
const migrateKeys: MigrateKeys = { from: plain, to: { passphrase: 'p', cipherCompatibility: 3 } }
Database.migrate('x.db', migrateKeys)
// @ts-expect-error to decrypt a file, the call must say so: `to: { plain: true }`
Database.migrate('x.db', { from: plain })
// @ts-expect-error plain is true or absent
Database.migrate('x.db', { from: { plain: false }, to: plain })
// @ts-expect-error decrypt needs the key
Database.decrypt('x.db')
const backupOptions: BackupOptions = { passphrase: 'p', kdfIter: 1000, attached: 'main', progress: () => 100 }
const copied = db.backup('copy.db', backupOptions)
equal<Exact<typeof copied, Promise<BackupMetadata>>>(true)
db.backup('copy.db', {
  plain: true,
  progress({ totalPages, remainingPages }) {
    console.log(totalPages - remainingPages)
  },
})
const serializeOptions: SerializeOptions = { attached: 'main', encrypted: true }
const image = db.serialize(serializeOptions)
equal<Exact<typeof image, Buffer>>(true)
new Database(image, { readonly: true })
Database(new Uint8Array(image))
// @ts-expect-error plain is a boolean
db.backup('copy.db', { plain: 'yes' })
// @ts-expect-error progress returns a number of pages
db.backup('copy.db', { progress: () => '100' })
// @ts-expect-error the option is spelled encrypted
db.serialize({ encrypt: true })

try {
  called.close()
} catch (error) {
  if (error instanceof SqliteError) {
    const text: string = error.code
    console.log(text)
    equal<Exact<typeof error.cause, (Error & { readonly code?: string; readonly errno?: number }) | undefined>>(true)
    const missing: boolean = error.cause?.code === 'ENOENT'
    if (missing) throw error.cause
    new SqliteError('message', 'SQLITE_ERROR', { cause: error })
    // @ts-expect-error a cause is an error
    new SqliteError('message', 'SQLITE_ERROR', { cause: 'message' })
    equal<Exact<typeof error.recoveryCode, string | undefined>>(true)
    const listed: SqliteErrorCode = 'STRONGROOM_WRONG_KEY'
    if (error.code === listed || error.code === 'SQLITE_A_CODE_OF_ITS_FUTURE') throw error
  }
}

equal<Exact<typeof db.format, 'plain' | 'sqlcipher' | 'strongroom'>>(true)
new Database('x.db', { key: Buffer.alloc(32), format: 'strongroom' })
// @ts-expect-error no such format
new Database('x.db', { key: Buffer.alloc(32), format: 'aegis' })
// @ts-expect-error a key is bytes
new Database('x.db', { key: 'secret' })
// @ts-expect-error the option is spelled readonly
new Database('x.db', { readOnly: true })
// @ts-expect-error cipherCompatibility is 1, 2, 3 or 4
new Database('x.db', { passphrase: 'p', cipherCompatibility: 5 })
// @ts-expect-error the name is read-only
db.name = 'y.db'

const attachOptions: AttachOptions = { passphrase: 'p', cipherCompatibility: 3, readonly: true, fileMustExist: true }
equal<Exact<ReturnType<typeof db.attach>, Database>>(true)
equal<Exact<ReturnType<typeof db.detach>, Database>>(true)
db.attach('y.db', 'y', attachOptions).attach('z.db', 'z', { plain: true }).attach('w.db', 'w').detach('w')
// @ts-expect-error the name is missing
db.attach('y.db')
// @ts-expect-error a key is bytes
db.attach('y.db', 'y', { key: 'text' })

const checkOptions: CheckOptions = {
  attached: 'y',
  progress: ({ checkedPages, totalPages }) => checkedPages < totalPages,
}
const checked: CheckResult = db.check(checkOptions)
equal<Exact<ReturnType<typeof db.check>, CheckResult>>(true)
const problem: CheckProblem | undefined = checked.problems[0]
if (problem?.kind === 'foreign-key') equal<Exact<typeof problem.rowid, number | bigint | undefined>>(true)
// @ts-expect-error the progress of check has other properties
db.check({ progress: ({ done }) => done })

const versions: Database.Versions = Database.versions
equal<Exact<keyof typeof versions, 'strongroom' | 'sqlite' | 'sqlcipher' | 'openssl' | 'zstd'>>(true)
// @ts-expect-error the versions are read-only
versions.sqlite = '3'
equal<Exact<ReturnType<typeof db.loadExtension>, Database>>(true)
db.loadExtension('./x.so').loadExtension('./y', 'sqlite3_y_init')
// @ts-expect-error the entry point is a string
db.loadExtension('./x.so', 1)
