// A program may add to the types of the options, as it may with @types/better-sqlite3.
import Database = require('strongroom')

declare module 'strongroom' {
  interface Options {
    label?: string
  }
}
export const db: Database.Database = new Database('cats.db', { label: 'cats' })
