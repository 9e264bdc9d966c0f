import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Strongroom from 'strongroom'
import { createApp } from './app.ts'

const { open } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')

/** Starts the app on a free port. */
async function start() {
  const db = open()
  const { app, store } = createApp(db)
  assert.ok(store.client instanceof Strongroom)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = async (method: string, path: string, { cookie = '', body }: { cookie?: string; body?: unknown } = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { cookie, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  const stop = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    db.close()
  }
  return { call, stop, db }
}

const first = await start()
assert.equal((await first.call('GET', '/notes')).status, 401)
const login = await first.call('POST', '/login', { body: { name: 'ada' } })
const cookie = login.headers.getSetCookie()[0].split(';')[0]
assert.equal((await first.call('POST', '/notes', { cookie, body: ['buy milk'] })).status, 201)
await first.stop()

// The session survives a restart of the app.
const { call, stop, db } = await start()
assert.equal((await call('POST', '/notes', { cookie, body: ['buy bread', null] })).status, 400)
assert.deepEqual(await (await call('GET', '/notes', { cookie })).json(), ['buy milk'])
assert.equal((await call('GET', '/notes', { cookie: 'connect.sid=s%3Aforged.signature' })).status, 401)
const [saved] = db.prepare<[], { sess: string }>('SELECT sess FROM sessions').all()
assert.equal(JSON.parse(saved.sess).user, 'ada')

assert.equal((await call('POST', '/logout', { cookie })).status, 204)
assert.equal((await call('GET', '/notes', { cookie })).status, 401)
assert.equal(db.prepare('SELECT count(*) FROM sessions').pluck().get(), 0)
await stop()
process.exit() // The store's timer keeps the process alive.
