import { drizzle } from 'drizzle-orm/better-sqlite3'

export const db = drizzle({
  connection: { source: 'encrypted.db', passphrase: process.env.NOTES_PASSPHRASE },
})
