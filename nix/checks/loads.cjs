// loads.cjs PACKAGE: writes an encrypted database, reads it back, and is refused with another key.
const assert = require('node:assert')
const { readFileSync } = require('node:fs')

const Database = require(process.argv[2])
const file = 'loads.db'
const key = Buffer.alloc(32, 7)

const written = new Database(file, { key })
written.exec("CREATE TABLE note(text TEXT); INSERT INTO note VALUES ('plaintext marker')")
written.close()
assert.ok(!readFileSync(file).includes('plaintext marker'), 'the file holds plaintext')

const read = new Database(file, { key })
assert.deepStrictEqual(read.prepare('SELECT text FROM note').all(), [{ text: 'plaintext marker' }])
read.close()

assert.throws(() => new Database(file, { key: Buffer.alloc(32, 8) }), { code: 'STRONGROOM_WRONG_KEY' })
