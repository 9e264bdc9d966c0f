import type Database from 'strongroom'
import type { UmzugStorage } from 'umzug'

/** Keeps the names of the migrations that ran, in the database that they change. */
export class SqliteStorage implements UmzugStorage<Database> {
  async executed({ context: db }: { context: Database }) {
    db.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)')
    return db.prepare<[], string>('SELECT name FROM migration ORDER BY name').pluck().all()
  }

  async logMigration({ name, context: db }: { name: string; context: Database }) {
    db.prepare('INSERT INTO migration (name) VALUES (?)').run(name)
  }

  async unlogMigration({ name, context: db }: { name: string; context: Database }) {
    db.prepare('DELETE FROM migration WHERE name = ?').run(name)
  }
}
