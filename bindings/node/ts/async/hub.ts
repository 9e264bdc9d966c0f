import { Calls, list } from '../api/calls'

type Addon = typeof import('../load/native')

/** The kinds of jobs. */
export const RUN = 0
export const GET = 1
export const ALL = 2
/** Opens a cursor and reads its first rows. */
export const START = 3
/** Reads more rows of a cursor. */
export const MORE = 4
/** Ends a cursor. */
export const END = 5
export const EXEC = 6
export const PREPARE = 7
/** Ends a hold: the reader serves the shared queue again. */
export const RELEASE = 8
/** Begins or ends a transaction. */
export const CONTROL = 9

/** The flags of a job, beside its kind. */
export const BIGINTS = 16
export const ONLY_FIRST = 32
/** The job belongs to a transaction or a snapshot. */
export const IN_TRANSACTION = 64
/** The reader that takes the job serves only its own queue until {@link RELEASE}. */
export const HOLD = 128
/** The job fails if its statement is not read-only. */
export const READ_ONLY = 256
/** A statement without columns runs, and returns no rows. */
export const ANY_COLUMNS = 512

/** The kinds of replies. */
export const ROWS_REPLY = 0
export const OUTCOME = 1
export const FAILED = 2
export const VALUE = 3
export const PROGRESS = 4
export const DONE_REPLY = 5

/** The lanes: the writer's queue, and the queue that all readers share. A positive lane is a held reader. */
export const WRITER = 0
export const READERS = -1

/** Indices into `ints`: the number of the thread that replies, and the state of its connection. */
const THREAD = 8
const STATE = 9
/** The bits of the state. */
const OPEN_TRANSACTION = 1
const WAL = 2

/** The number of rows that a turn of the event loop delivers at least, if so many rows wait. */
const ROWS_PER_TURN = 1000
const LAST_TICKET = 0xffff_ffff

/** Kept for tests that replace the global function with a timer of their own. */
const immediate = setImmediate

/** `true` in Node and Electron, whose event loop is libuv's. */
const HAS_UV = process.versions['bun'] === undefined && process.versions['deno'] === undefined

/** The columns of a reply, as the addon reports them. */
interface ReplyColumns {
  readonly names: readonly string[]
  readonly tables: readonly (string | null | undefined)[]
  readonly kinds: readonly number[]
}

/** Takes the replies to a job. Must not throw. */
export interface Receiver {
  receive(kind: number, value: unknown): void
  /** Called instead of a reply if the database closed before the job ran. */
  dropped(): void
  /** The object whose jobs `close` drops. */
  readonly connection: object
}

type Submit = (
  database: object,
  lane: number,
  ticket: number,
  flags: number,
  limit: number,
  sql: object | undefined,
  ...values: readonly unknown[]
) => void

/**
 * The link between this JavaScript thread and the threads of its databases: sends jobs, and delivers replies from the
 * event loop.
 */
export class Hub {
  readonly calls: Calls
  readonly addon: Addon
  /** The addon's handle of the hub. */
  readonly handle: object
  /** Sends a job to a thread. */
  readonly submit: Submit
  /** Returns the columns of the reply that is being delivered. */
  readonly columns: () => ReplyColumns
  readonly #hold: (on: boolean) => void
  readonly #receivers = new Map<number, Receiver>()
  #last = 0
  /** The number of replies that callers wait for. */
  #expected = 0

  private constructor(addon: Addon) {
    this.addon = addon
    this.calls = Calls.of(addon)
    const turn = (): void => {
      // A turn of the event loop per batch: timers and sockets are served between two batches.
      if (drain(list, ROWS_PER_TURN)) immediate(turn)
    }
    const deliver = (ticket: number, kind: number, value: unknown): void =>
      this.#receivers.get(ticket)?.receive(kind, value)
    const [handle, drain, hold, submit, columns] = addon.asynchronous(turn, deliver, HAS_UV) as [
      object,
      (collect: typeof list, limit: number) => boolean,
      (on: boolean) => void,
      Submit,
      () => ReplyColumns,
    ]
    this.handle = handle
    this.#hold = hold
    this.submit = submit
    this.columns = columns
  }

  static readonly #known = new WeakMap<Addon, Hub>()

  /** Returns the hub of an addon. */
  static of(addon: Addon): Hub {
    let hub = Hub.#known.get(addon)
    if (hub === undefined) {
      hub = new Hub(addon)
      Hub.#known.set(addon, hub)
    }
    return hub
  }

  /** Returns a ticket whose replies go to `receiver` until {@link forget}. */
  ticket(receiver: Receiver): number {
    const ticket = this.unanswered()
    this.#receivers.set(ticket, receiver)
    return ticket
  }

  /** Returns the ticket of a job without a reply. */
  unanswered(): number {
    do this.#last = this.#last === LAST_TICKET ? 1 : this.#last + 1
    while (this.#receivers.has(this.#last))
    return this.#last
  }

  /** Lets the replies of a ticket go to another receiver. */
  assign(ticket: number, receiver: Receiver): void {
    this.#receivers.set(ticket, receiver)
  }

  forget(ticket: number): void {
    this.#receivers.delete(ticket)
  }

  /** Keeps the process alive until {@link arrived} is called as often. */
  expect(): void {
    if (this.#expected++ === 0) this.#hold(true)
  }

  arrived(): void {
    if (--this.#expected === 0) this.#hold(false)
  }

  /** Returns the receivers that wait for a reply. */
  receivers(): Receiver[] {
    return [...this.#receivers.values()]
  }

  /** The number of the thread whose reply is being delivered. */
  get thread(): number {
    return this.calls.ints[THREAD] as number
  }

  /** Returns whether a transaction is open on the connection whose reply is being delivered. */
  get inTransaction(): boolean {
    return ((this.calls.ints[STATE] as number) & OPEN_TRANSACTION) !== 0
  }

  /** Returns whether the connection whose reply is being delivered is in WAL mode. */
  get wal(): boolean {
    return ((this.calls.ints[STATE] as number) & WAL) !== 0
  }
}
