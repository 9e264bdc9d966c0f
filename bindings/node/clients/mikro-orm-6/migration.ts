import { Migration } from '@mikro-orm/migrations'

export class Migration20251201000000 extends Migration {
  async up() {
    this.addSql(
      'CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, done INTEGER NOT NULL DEFAULT false)',
    )
  }

  override async down() {
    this.addSql('DROP TABLE note')
  }
}
