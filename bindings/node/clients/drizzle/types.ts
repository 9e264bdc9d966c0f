// Tests the types of the encryption options. This file is compiled but not run.
import { drizzle } from 'drizzle-orm/better-sqlite3'

// @ts-expect-error: the option's name is misspelt
drizzle({ connection: { source: 'notes.db', passphase: 'correct horse battery staple' } })
// @ts-expect-error: a passphrase is a string or bytes
drizzle({ connection: { source: 'notes.db', passphrase: 5 } })
