// The types as a module with `require` sees them.
import Database = require('strongroom')

const db: Database.Database = new Database(':memory:')
const error = new Database.SqliteError('message', 'SQLITE_ERROR')
const code: string = error.code
const row = db.prepare<unknown[], Database.Row>('SELECT 1').get()?.['1']
const statement: Database.Statement = db.prepare('SELECT 1')
const converted: Promise<Database.MigrateResult> = Database.encrypt('cats.db', { passphrase: 'p' })
class Cats extends Database {
  count(): number {
    return this.prepare<[], { n: number }>('SELECT count(*) AS n FROM cats').get()?.n ?? 0
  }
}
const cats: Database = new Cats('cats.db', { passphrase: 'p' })
new Database.SqliteError('message', 'MY_OWN_CODE')

export = { code, row, statement, cats, converted }
