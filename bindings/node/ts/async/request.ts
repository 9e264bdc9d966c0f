import { fromNative } from '../api/errors'
import { closed } from './errors'
import { FAILED, type Hub, PROGRESS, RELEASE, type Receiver } from './hub'
import type { Session } from './session'

/** A job of the connection itself, with a single final reply. */
export class Request implements Receiver {
  readonly connection: object
  readonly promise: Promise<unknown>
  readonly ticket: number
  /** The number of the thread that replied. */
  thread: number | undefined
  readonly #hub: Hub
  readonly #progress: ((value: unknown) => void) | undefined
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void

  constructor(hub: Hub, connection: object, progress?: (value: unknown) => void) {
    this.#hub = hub
    this.connection = connection
    this.#progress = progress
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.ticket = hub.ticket(this)
    hub.expect()
  }

  /** Sends a job, and returns its reply. Rejects with the job's error. */
  static reply(hub: Hub, connection: object, send: (ticket: number) => void): Promise<unknown> {
    const request = new Request(hub, connection)
    request.send(send)
    return request.promise
  }

  send(send: (ticket: number) => void): void {
    try {
      send(this.ticket)
    } catch (error) {
      this.#end()
      this.#reject(fromNative(error))
    }
  }

  receive(kind: number, value: unknown): void {
    if (kind === PROGRESS) {
      this.#progress?.(value)
      return
    }
    this.thread = this.#hub.thread
    this.#end()
    if (kind === FAILED) this.#reject(fromNative(value))
    else this.#resolve(value)
  }

  dropped(): void {
    this.#end()
    this.#reject(closed())
  }

  #end(): void {
    this.#hub.forget(this.ticket)
    this.#hub.arrived()
  }
}

/** Ends the hold of a reader, which the addon does not answer. */
export function release({ hub, handle }: Session, lane: number): void {
  try {
    hub.submit(handle, lane, hub.unanswered(), RELEASE, 0, undefined)
  } catch {}
}
