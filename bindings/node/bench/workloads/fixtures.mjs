// The files that workloads read. Each configuration builds its own files, once for all rounds.
import { messages } from '../data.mjs'

export const FIXTURES = {
  /** About 30 MB of messages. The first fifth has an index for full-text search. */
  messages: {
    count: 100_000,
    build({ peer, db, count }) {
      createMessages({ peer, db, count })
      peer.exec(
        db,
        `CREATE VIRTUAL TABLE search USING fts5(body);
         INSERT INTO search(rowid, body) SELECT id, body FROM message WHERE id <= ${Math.ceil(count / 5)}`,
      )
    },
  },
  /** Rows that each fill a page: in SQLCipher's format, a page has 4,016 bytes for content. */
  pages: {
    count: 10_000,
    build({ peer, db, count }) {
      peer.exec(
        db,
        `CREATE TABLE page (id INTEGER PRIMARY KEY, content BLOB);
         INSERT INTO page
           WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number LIMIT ${count})
           SELECT i, zeroblob(3900) FROM number`,
      )
    },
  },
}

export const CREATE_MESSAGE = 'CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT, bin BLOB, n INTEGER)'
export const INSERT_MESSAGE = 'INSERT INTO message VALUES (?, ?, ?, ?)'

/** Creates the table of messages with `count` rows. */
export function createMessages({ peer, db, count }) {
  peer.exec(db, CREATE_MESSAGE)
  const insert = peer.prepare(db, INSERT_MESSAGE)
  const pool = messages(count)
  peer.transaction(db, () => {
    for (let i = 0; i < count; i++) {
      const { body, bin, n } = pool[i % pool.length]
      peer.run4(insert, i + 1, body, bin, n)
    }
  })()
}
