import { notes } from '../../lib/notes.js'

export async function POST(request) {
  const { title } = await request.json()
  const { lastInsertRowid } = notes().prepare('INSERT INTO note (title) VALUES (?)').run(title)
  return Response.json({ id: lastInsertRowid }, { status: 201 })
}
