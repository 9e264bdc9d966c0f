import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Notes1764547200000 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(
      'CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0)',
    )
  }

  async down(runner: QueryRunner) {
    await runner.query('DROP TABLE note')
  }
}
