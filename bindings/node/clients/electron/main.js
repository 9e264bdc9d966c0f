const { join } = require('node:path')
const { app } = require('electron')
const { openNotes } = require('./notes.js')

app.whenReady().then(() => {
  const db = openNotes(join(app.getPath('userData'), 'notes.db'))
  db.prepare('INSERT INTO note VALUES (?)').run('buy milk')
  db.close()
  app.quit()
})
