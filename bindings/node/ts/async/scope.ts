import { enclosing } from './context'
import { closed, type Ending, outerCall } from './errors'
import { READERS } from './hub'
import type { Entry, Line } from './line'
import type { Session } from './session'
import type { Sql } from './sql'

/**
 * The property that holds the scope of a database, a transaction or a snapshot. Unlike a private field, a property also
 * works through a proxy.
 */
export const SCOPE: unique symbol = Symbol('scope')

/** A call, as a scope routes it. */
export interface Routed extends Entry {
  readonly kind: number
  /** `true` if a reader can run the call. */
  readonly reads: boolean
  readonly sql: Sql | undefined
  /** `true` if the call needs its connection for several jobs. */
  readonly holds: boolean
  /** The queue that the call goes to. */
  lane: number
}

/** A cursor or a transaction, which ends with its scope or with its database. */
export interface Dependent {
  /** Ends the dependent: its later calls reject. */
  stop(ending: Ending): void
}

/** The place in which calls run: a database, a transaction or a snapshot. */
export abstract class Scope {
  readonly session: Session
  /** The public object. A call that waits or runs keeps the object alive, whose collection closes the database. */
  readonly owner: object
  /** The calls of the scope that wait. */
  abstract readonly line: Line
  /** The flags of each job. */
  abstract readonly flags: number
  /** The scope in which this one began. */
  abstract readonly outer: Scope | undefined

  constructor(session: Session, owner: object) {
    this.session = session
    this.owner = owner
  }

  /** `true` while calls may be made. */
  get live(): boolean {
    return this.session.open
  }

  /** Throws unless a call may be made now, from this place. */
  ready(): void {
    const entry = enclosing(this)
    if (entry !== undefined) throw outerCall(entry.kind)
    if (!this.session.open) throw closed()
  }

  /** Counts a call that waits or runs in the scope, until {@link left}. */
  abstract joined(): void

  /** Starts a call on its connection, or lets the call wait. Throws if the call cannot run in this scope. */
  abstract route(call: Routed): void

  /** Notes a cursor that ends with the scope. */
  abstract opened(cursor: Dependent): void

  abstract closed(cursor: Dependent): void

  /** Notes that the final reply to a call is being delivered, or that the call has left without a reply. */
  abstract left(replied: boolean): void

  /** Returns whether this scope is another scope, or began in it. */
  within(other: Scope): boolean {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.outer) if (scope === other) return true
    return false
  }
}

/** The scope of a database: reads go to readers, and everything else to the writer. */
export class DatabaseScope extends Scope {
  readonly flags = 0
  readonly outer = undefined
  readonly line: Line

  constructor(session: Session, owner: object) {
    super(session, owner)
    this.line = session.line
  }

  joined(): void {}

  route(call: Routed): void {
    const { readers, line } = this.session
    if (call.sql?.local) readers.retire()
    if (call.reads && call.holds && readers.serving) {
      call.lane = READERS
      readers.hold(call)
    } else if (call.reads && !call.holds && readers.free) {
      call.lane = READERS
      readers.joined()
      call.start()
    } else line.add(call)
  }

  left(): void {}

  opened(cursor: Dependent): void {
    this.session.dependents.add(cursor)
  }

  closed(cursor: Dependent): void {
    this.session.dependents.delete(cursor)
  }
}
