// Starts the projects' servers, each on a free local port.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server in another process. */
export class Server {
  /** Starts Node, and waits until the server answers.
   *
   * @param args - the arguments of Node; the server listens on the port in the variable `PORT`
   * @throws an error with the server's output if the server exits or does not answer in time
   */
  static async start(args, { cwd, env, limit = 60_000 }) {
    const port = await freePort()
    const server = new Server(args, { cwd, env: { ...env, PORT: `${port}`, HOSTNAME: '127.0.0.1' } }, port)
    try {
      await server.answers(Date.now() + limit)
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  constructor(args, { cwd, env }, port) {
    this.url = `http://127.0.0.1:${port}`
    this.output = ''
    const { NODE_TEST_CONTEXT: _, ...own } = process.env
    this.child = spawn(process.execPath, args, { cwd, env: { ...own, NO_COLOR: '1', ...env } })
    this.ended = once(this.child, 'close')
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text
      })
    // A cancelled test does not call `stop`.
    this.kill = () => this.child.kill('SIGKILL')
    process.once('exit', this.kill)
  }

  async answers(deadline) {
    while (Date.now() < deadline) {
      if (this.child.exitCode !== null) throw new Error(`the server ended:\n${this.output}`)
      try {
        return await (await fetch(this.url, { signal: AbortSignal.timeout(deadline - Date.now()) })).text()
      } catch {
        await sleep(50)
      }
    }
    throw new Error(`the server does not answer:\n${this.output}`)
  }

  /**
   * Sends an object as JSON, or requests a page. Returns the text of the response. Throws unless the request succeeds.
   */
  async fetch(path, object) {
    const sent = object && { method: 'POST', body: JSON.stringify(object) }
    const response = await fetch(this.url + path, { ...sent, signal: AbortSignal.timeout(60_000) })
    const text = await response.text()
    assert.ok(response.ok, `${path}: ${response.status}\n${this.output}`)
    return text
  }

  /** Ends the process. */
  async stop() {
    this.child.kill()
    const timer = setTimeout(this.kill, 20_000)
    await this.ended
    clearTimeout(timer)
    process.off('exit', this.kill)
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
