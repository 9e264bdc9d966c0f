import { drizzle } from 'drizzle-orm/better-sqlite3'
import * as schema from './schema.ts'

export const db = drizzle({
  connection: { source: 'encrypted.db', passphrase: process.env.NOTES_PASSPHRASE },
  schema,
})
