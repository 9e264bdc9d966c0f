import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.transaction(() => {
  db.exec(`
    CREATE VIRTUAL TABLE new_search USING fts5(text);
    INSERT INTO new_search (rowid, text) SELECT rowid, text FROM search;
    DROP TABLE search;
    ALTER TABLE new_search RENAME TO search;
  `)
})()
console.log(db.prepare("SELECT text FROM search WHERE search MATCH 'milk'").pluck().all())
db.close()
