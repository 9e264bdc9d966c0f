// The types as a module with `require` sees them.
import Database = require('strongroom')

const db: Database.Database = new Database(':memory:')
const error = new Database.SqliteError('message', 'SQLITE_ERROR')
const code: Database.SqliteErrorCode = error.code
const row: Database.Row | undefined = db.prepare('SELECT 1').get()
const statement: Database.Statement = db.prepare('SELECT 1')
const converted: Promise<Database.MigrateResult> = Database.encrypt('cats.db', { passphrase: 'p' })
class Cats extends Database {
  count(): number {
    return this.prepare<[], { n: number }>('SELECT count(*) AS n FROM cats').get()?.n ?? 0
  }
}
const cats: Database = new Cats('cats.db', { passphrase: 'p' })
// @ts-expect-error a code that is not in the list
new Database.SqliteError('message', 'SQLITE_NONSENSE')

export = { code, row, statement, cats, converted }
