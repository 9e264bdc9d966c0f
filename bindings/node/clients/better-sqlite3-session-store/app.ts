// @ts-expect-error: the package has no types
import storeOf from 'better-sqlite3-session-store'
import express from 'express'
import session from 'express-session'
import type Database from 'strongroom'

declare module 'express-session' {
  interface SessionData {
    user: string
  }
}

const SqliteStore = storeOf(session)

/** Returns an app whose sessions and notes are in one database. */
export function createApp(db: Database) {
  db.exec('CREATE TABLE IF NOT EXISTS note (user TEXT NOT NULL, title TEXT NOT NULL)')
  const insert = db.prepare('INSERT INTO note (user, title) VALUES (?, ?)')
  const insertAll = db.transaction((user: string, titles: string[]) => {
    for (const title of titles) insert.run(user, title)
  })
  const find = db.prepare<[string], string>('SELECT title FROM note WHERE user = ?').pluck()

  const store = new SqliteStore({ client: db })
  const app = express()
  app.use(express.json())
  app.use(session({ store, secret: 'it signs the cookies', resave: false, saveUninitialized: false }))
  app.post('/login', (request, response) => {
    request.session.user = request.body.name
    response.sendStatus(204)
  })
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.sendStatus(204)))
  })
  app.get('/notes', ({ session: { user } }, response) => {
    if (user) response.json(find.all(user))
    else response.sendStatus(401)
  })
  app.post('/notes', ({ session: { user }, body }, response) => {
    if (!user) return response.sendStatus(401)
    try {
      insertAll(user, body)
      response.sendStatus(201)
    } catch {
      response.sendStatus(400)
    }
  })
  return { app, store }
}
