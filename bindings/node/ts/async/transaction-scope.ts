import { IN_TRANSACTION, RUN } from './hub'
import { type OwnedOptions, OwnedScope } from './owned-scope'
import { DatabaseScope } from './scope'

/** The moment at which a transaction takes its locks. */
export type Behavior = 'deferred' | 'immediate' | 'exclusive'

/** A transaction, or a nested transaction, which is a savepoint. */
export class TransactionScope extends OwnedScope {
  readonly kind = 'transaction'
  readonly shared = false
  readonly flags: number = IN_TRANSACTION
  readonly #behavior: Behavior
  readonly #nested: boolean

  constructor(options: OwnedOptions, behavior: Behavior) {
    super(options)
    this.#behavior = behavior
    this.#nested = !(options.outer instanceof DatabaseScope)
  }

  protected acquire(): void {
    this.outer.line.add(this)
  }

  protected withdraw(): boolean {
    return this.outer.line.remove(this)
  }

  protected begin(): Promise<void> {
    this.outer.line.take(this)
    return this.#nested ? this.#savepoint('SAVEPOINT') : this.execute(`BEGIN ${this.#behavior.toUpperCase()}`)
  }

  protected commit(): Promise<void> {
    return this.#nested ? this.#savepoint('RELEASE') : this.execute('COMMIT')
  }

  protected async rollback(): Promise<void> {
    if (!this.#nested) return this.execute('ROLLBACK')
    await this.#savepoint('ROLLBACK TO')
    await this.#savepoint('RELEASE')
  }

  /**
   * Runs a statement about the savepoint, which fails if SQLite has ended the transaction: SAVEPOINT would begin another
   * transaction.
   */
  #savepoint(verb: 'SAVEPOINT' | 'RELEASE' | 'ROLLBACK TO'): Promise<void> {
    return this.execute(`${verb} strongroom`, RUN)
  }

  protected release(): void {
    this.outer.line.release(this)
  }
}
