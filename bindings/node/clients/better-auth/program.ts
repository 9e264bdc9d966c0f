import assert from 'node:assert/strict'
import { getMigrations } from 'better-auth/db/migration'
import Strongroom from 'strongroom'
import { createAuth } from './kysely.ts'

const origin = 'http://localhost:3000'
process.env.BETTER_AUTH_URL = origin
process.env.BETTER_AUTH_SECRET = 'the secret of a test that signs the cookies'
const { auth } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
const db = auth.options.database
assert.ok(db instanceof Strongroom)

const { toBeCreated, runMigrations } = await getMigrations(auth.options)
assert.deepEqual(toBeCreated.map(({ table }) => table).sort(), ['account', 'session', 'user', 'verification'])
await runMigrations()
assert.deepEqual((await getMigrations(auth.options)).toBeCreated, [])
db.exec('CREATE TABLE note (user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE, title TEXT NOT NULL)')

/** Signs a user up and in with an instance of better-auth. Stores a note for the session's user. */
async function visit({ handler, api }: Pick<typeof auth, 'handler' | 'api'>, email: string) {
  const post = (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', origin }
    return handler(new Request(`${origin}/api/auth${path}`, { method: 'POST', headers, body: JSON.stringify(body) }))
  }
  const password = 'a password of enough characters'
  const user = { name: 'Ada', email, password }
  assert.equal((await post('/sign-up/email', user)).status, 200)
  assert.equal((await post('/sign-up/email', user)).status, 422)
  assert.equal((await post('/sign-in/email', { email, password: 'a wrong password' })).status, 401)

  const response = await post('/sign-in/email', { email, password })
  assert.equal(response.status, 200)
  const cookie = response.headers
    .getSetCookie()
    .map((text) => text.split(';')[0])
    .join('; ')
  const session = await api.getSession({ headers: new Headers({ cookie }) })
  assert.equal(session?.user.email, email)
  insertNote.run(session.user.id, 'buy milk')
}

const insertNote = db.prepare('INSERT INTO note (user, title) VALUES (?, ?)')
const viaKysely = createAuth(db)
await visit(auth, 'ada@example.com')
await visit(viaKysely, 'grace@example.com')

for (const { $context } of [auth, viaKysely]) {
  const { adapter } = await $context
  const removeAll = adapter.transaction(async (tx) => {
    assert.equal(await tx.deleteMany({ model: 'user', where: [{ field: 'name', value: 'Ada' }] }), 2)
    throw new Error('rolled back')
  })
  await assert.rejects(removeAll, /rolled back/)
}
assert.deepEqual(db.prepare('SELECT email, title FROM user JOIN note ON note.user = user.id ORDER BY email').all(), [
  { email: 'ada@example.com', title: 'buy milk' },
  { email: 'grace@example.com', title: 'buy milk' },
])
assert.equal(db.prepare('SELECT count(*) FROM session').pluck().get(), 4)
db.close()
