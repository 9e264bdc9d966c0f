// Tests the types of the encryption options. This file is compiled but not run.
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'

// @ts-expect-error: the option's name is misspelt
new PrismaBetterSqlite3({ url: 'file:notes.db', passphase: 'correct horse battery staple' })
// @ts-expect-error: a passphrase is a string or bytes
new PrismaBetterSqlite3({ url: 'file:notes.db', passphrase: 5 })
