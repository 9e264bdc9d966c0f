// Compiled and not run: the encryption options have types.
import { defineConfig } from '@mikro-orm/sqlite'
import type { Options } from 'better-sqlite3'

defineConfig({
  // @ts-expect-error: the option's name is misspelt
  driverOptions: (): Options => ({ passphase: 'correct horse battery staple' }),
})
