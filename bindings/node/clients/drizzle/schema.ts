import { relations } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const lists = sqliteTable('lists', {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
})

export const notes = sqliteTable('notes', {
  id: integer().primaryKey(),
  listId: integer('list_id')
    .notNull()
    .references(() => lists.id),
  title: text().notNull(),
  done: integer({ mode: 'boolean' }).notNull().default(false),
})

export const listsRelations = relations(lists, ({ many }) => ({ notes: many(notes) }))
export const notesRelations = relations(notes, ({ one }) => ({
  list: one(lists, { fields: [notes.listId], references: [lists.id] }),
}))
