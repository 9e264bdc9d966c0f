import { connection } from 'next/server'
import { notes } from '../lib/notes.js'

export default async function Page() {
  await connection()
  return (
    <ul>
      {notes()
        .prepare('SELECT id, title FROM note')
        .all()
        .map(({ id, title }) => (
          <li key={id}>{title}</li>
        ))}
    </ul>
  )
}
