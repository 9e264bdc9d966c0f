import { CONTROL, GET, HOLD, IN_TRANSACTION, READ_ONLY, READERS, WRITER } from './hub'
import { OwnedScope } from './owned-scope'
import { release } from './request'

/** A snapshot: a read transaction on a reader, or on the writer if the database has one connection. */
export class SnapshotScope extends OwnedScope {
  readonly kind = 'read'
  readonly shared = true
  readonly flags: number = IN_TRANSACTION | READ_ONLY
  #onReader = false

  protected acquire(): void {
    this.#onReader = this.session.readers.serving
    if (this.#onReader) this.session.readers.hold(this)
    else this.outer.line.add(this)
  }

  protected withdraw(): boolean {
    return this.#onReader ? this.session.readers.remove(this) : this.outer.line.remove(this)
  }

  protected async begin(): Promise<void> {
    if (!this.#onReader) {
      this.outer.line.take(this)
      await this.execute('BEGIN DEFERRED')
    } else {
      this.lane = READERS
      await this.execute('BEGIN DEFERRED', CONTROL | HOLD)
      // A reader whose first job fails is not held.
      this.lane = this.control?.thread ?? READERS
    }
    try {
      // A deferred transaction takes its snapshot at the first read.
      await this.execute('SELECT 1 FROM sqlite_schema LIMIT 1', GET)
    } catch (error) {
      // The rollback fails only if the database closes.
      await this.rollback().catch(() => {})
      throw error
    }
  }

  protected commit(): Promise<void> {
    return this.rollback()
  }

  protected async rollback(): Promise<void> {
    // RELEASE ends the transaction of a reader.
    if (!this.#onReader) await this.execute('ROLLBACK')
  }

  protected release(): void {
    if (!this.#onReader) {
      this.outer.line.release(this)
      return
    }
    if (this.session.open && this.lane > WRITER) release(this.session, this.lane)
    this.session.readers.released()
  }
}
