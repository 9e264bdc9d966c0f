import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import Database from 'strongroom'

const db = new Database(process.env.NOTES_FILE, { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL)')

createServer(async (request, response) => {
  if (request.method === 'POST') {
    const { title } = await json(request)
    db.prepare('INSERT INTO note (title) VALUES (?)').run(title)
    response.writeHead(201).end()
  } else {
    const titles = db.prepare('SELECT title FROM note').pluck().all()
    response
      .setHeader('content-type', 'text/html')
      .end(`<ul>${titles.map((title) => `<li>${title}</li>`).join('')}</ul>`)
  }
}).listen(process.env.PORT, '127.0.0.1')
