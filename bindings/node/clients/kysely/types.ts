// Tests the types of the encryption options. This file is compiled but not run.
import { SqliteDialect } from 'kysely'
import Database from 'strongroom'

new SqliteDialect({
  // @ts-expect-error: the option's name is misspelt
  database: new Database('notes.db', { passphase: 'correct horse battery staple' }),
})
new SqliteDialect({
  // @ts-expect-error: a passphrase is a string or bytes
  database: new Database('notes.db', { passphrase: 5 }),
})
new SqliteDialect({
  // @ts-expect-error: SQLCipher has no such algorithm
  database: new Database('notes.db', { passphrase: 'correct horse battery staple', kdfAlgorithm: 'md5' }),
})
