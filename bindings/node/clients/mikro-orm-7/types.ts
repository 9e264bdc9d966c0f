// Tests the types of the encryption options. This file is compiled but not run.
import { defineConfig } from '@mikro-orm/sqlite'
import type { Options } from 'better-sqlite3'

defineConfig({
  // @ts-expect-error: the option's name is misspelt
  driverOptions: (): Options => ({ passphase: 'correct horse battery staple' }),
})
