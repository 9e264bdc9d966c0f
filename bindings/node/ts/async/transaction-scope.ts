import { IN_TRANSACTION } from './hub'
import { type OwnedOptions, OwnedScope } from './owned'
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
    return this.execute(this.#nested ? 'SAVEPOINT strongroom' : `BEGIN ${this.#behavior.toUpperCase()}`)
  }

  protected commit(): Promise<void> {
    return this.execute(this.#nested ? 'RELEASE strongroom' : 'COMMIT')
  }

  protected async rollback(): Promise<void> {
    if (!this.#nested) return this.execute('ROLLBACK')
    await this.execute('ROLLBACK TO strongroom')
    await this.execute('RELEASE strongroom')
  }

  protected release(): void {
    this.outer.line.release(this)
  }
}
