import type Database from 'strongroom'
import type { RunnableMigration } from 'umzug'

export const migrations: RunnableMigration<Database>[] = [
  {
    name: '0001-notes',
    up: async ({ context: db }) => db.exec('CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'),
    down: async ({ context: db }) => db.exec('DROP TABLE note'),
  },
  {
    name: '0002-done',
    up: async ({ context: db }) => db.exec('ALTER TABLE note ADD COLUMN done INTEGER NOT NULL DEFAULT 0'),
    down: async ({ context: db }) => db.exec('ALTER TABLE note DROP COLUMN done'),
  },
]
