// Opening and closing a database: the connection, its settings and the first page.

function open({ name, title, groups, plain, key, count, instructions }) {
  return {
    name,
    title,
    unit: 'ms',
    groups,
    plain,
    count,
    instructions,
    setup({ peer, file, count }) {
      const db = peer.open(file, key)
      peer.exec(db, 'CREATE TABLE t (x); INSERT INTO t VALUES (1)')
      peer.close(db)
      return { peer, file, count, operations: count }
    },
    run({ peer, file, count }) {
      let sum = 0
      for (let i = 0; i < count; i++) {
        const db = peer.open(file, key)
        sum += peer.get(peer.prepare(db, 'SELECT x FROM t')).x
        peer.close(db)
      }
      return sum
    },
  }
}

export const opening = [
  open({ name: 'open', title: 'open a file', groups: ['plain', 'reference'], count: 100, instructions: 20 }),
  open({
    name: 'open-key',
    title: 'open a file with a raw key',
    groups: ['encrypted'],
    plain: 'open',
    key: 'raw',
    count: 100,
    instructions: 20,
  }),
  open({
    name: 'open-passphrase',
    title: 'open a file with a passphrase and the default key derivation of its format',
    groups: ['encrypted'],
    key: 'passphrase',
    count: 3,
    instructions: 1,
  }),
]
