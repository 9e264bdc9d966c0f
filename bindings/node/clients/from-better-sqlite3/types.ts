import type { RunResult, Statement } from 'better-sqlite3'
import Database from 'better-sqlite3'

interface Note {
  id: number
  text: string
}

export function list(db: Database.Database): Note[] {
  const all: Statement<[], Note> = db.prepare<[], Note>('SELECT id, text FROM note')
  return all.all()
}

export const add: (text: string) => RunResult = (text) =>
  new Database('notes.db').prepare('INSERT INTO note (text) VALUES (?)').run(text)
