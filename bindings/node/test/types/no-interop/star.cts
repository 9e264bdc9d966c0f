// The types as a CommonJS module without `esModuleInterop` sees them.
import * as Database from 'strongroom'

class Notes extends Database {
  titles(): unknown[] {
    return this.prepare('SELECT title FROM note').pluck().all()
  }
}
const db: Database.Database = new Notes('notes.db', { readonly: true })
const statement: Database.Statement<[number]> = db.prepare<[number]>('SELECT ?')
const called = Database('notes.db')

export = { statement, called }
