// The cost of reading, verifying and decrypting a page, and of encrypting and writing a page.

export const pages = [
  {
    name: 'page-read',
    title: 'read a page',
    unit: 'µs',
    count: 10_000,
    instructions: 3_000,
    once: true,
    fixture: 'pages',
    setup({ peer, file, key, count }) {
      const db = peer.open(file, key)
      // Each row fills a leaf page, so counting the rows reads one page per row.
      return {
        peer,
        db,
        operations: count,
        count: peer.prepare(db, `SELECT count(*) AS n FROM page WHERE id <= ${count}`),
      }
    },
    run: ({ peer, count }) => peer.get(count).n,
    finish: ({ peer, db }) => peer.close(db),
  },
  {
    name: 'page-write',
    title: 'write a page, checkpoints included',
    unit: 'µs',
    count: 10_000,
    instructions: 3_000,
    once: true,
    setup({ peer, file, key, count }) {
      const db = peer.open(file, key)
      peer.exec(db, 'CREATE TABLE page (id INTEGER PRIMARY KEY, content BLOB)')
      const sql = `INSERT INTO page
        WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number LIMIT ${count})
        SELECT i, zeroblob(3900) FROM number`
      return { peer, db, operations: count, insert: peer.prepare(db, sql) }
    },
    run: ({ peer, insert }) => peer.run(insert).changes,
    finish: ({ peer, db }) => peer.close(db),
  },
]
