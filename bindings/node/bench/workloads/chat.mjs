// A chat application: shows a page of messages, stores a message, counts it as unread, and searches now and then.
import { ids, messages, WORDS } from '../data.mjs'

export const chat = [
  {
    name: 'chat',
    title: 'chat: 1,000 × (read a page, insert, count); a search every tenth time',
    unit: 'ms',
    count: 1_000,
    instructions: 100,
    once: true,
    fixture: 'messages',
    copied: true,
    setup({ peer, file, key, count, fixtureCount }) {
      const db = peer.open(file, key)
      peer.exec(db, 'CREATE TABLE unread (conversation INTEGER PRIMARY KEY, n INTEGER)')
      peer.exec(db, 'INSERT INTO unread VALUES (0,0), (1,0), (2,0), (3,0), (4,0), (5,0), (6,0), (7,0)')
      const statements = {
        page: peer.prepare(db, 'SELECT id, body, n FROM message WHERE id < ? ORDER BY id DESC LIMIT 30'),
        insert: peer.prepare(db, 'INSERT INTO message VALUES (?, ?, ?, ?)'),
        index: peer.prepare(db, 'INSERT INTO search(rowid, body) SELECT id, body FROM message WHERE id = ?'),
        counter: peer.prepare(db, 'UPDATE unread SET n = n + 1 WHERE conversation = ?'),
        unread: peer.prepare(db, 'SELECT n FROM unread WHERE conversation = ?'),
        search: peer.prepare(db, 'SELECT rowid AS id FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT 20'),
      }
      const store = peer.transaction(db, ({ id, message }) => {
        peer.run4(statements.insert, id, message.body, message.bin, message.n)
        peer.run1(statements.index, id)
        peer.run1(statements.counter, id & 7)
      })
      const positions = ids(count, fixtureCount)
      return { peer, db, statements, store, pool: messages(), positions, fixtureCount }
    },
    run({ peer, statements, store, pool, positions, fixtureCount }) {
      let sum = 0
      for (let i = 0; i < positions.length; i++) {
        for (const { id, body, n } of peer.all1(statements.page, positions[i])) sum += id + body.length + (n & 0xff)
        store({ id: fixtureCount + 1 + i, message: pool[i % pool.length] })
        sum += peer.get1(statements.unread, i & 7).n
        if (i % 10 === 0) sum += peer.all1(statements.search, WORDS[(i / 10) % WORDS.length])[0]?.id ?? 0
      }
      return sum
    },
    finish: ({ peer, db }) => peer.close(db),
  },
]
