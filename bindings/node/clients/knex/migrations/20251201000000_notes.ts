import type { Knex } from 'knex'

export async function up(db: Knex) {
  await db.schema.createTable('notes', (table) => {
    table.increments('id')
    table.string('title').notNullable()
    table.boolean('done').notNullable().defaultTo(false)
  })
}

export async function down(db: Knex) {
  await db.schema.dropTable('notes')
}
