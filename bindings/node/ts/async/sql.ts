import { type Reader, readerOf, type Shape } from '../api/build-row'
import { LAYOUT } from '../api/calls'
import { Parameters } from '../api/parameters'
import type { Hub } from './hub'

/** The maximum number of texts whose description a database keeps. */
const MAX_TEXTS = 100
/** The maximum number of layouts of one text: each thread has layouts of its own. */
const MAX_LAYOUTS = 64

const SHAPES: readonly Shape[] = ['object', 'array', 'expanded', 'value']

/** A text of SQL: its parameters, where it may run, and the readers of its rows. */
export class Sql {
  readonly text: string
  /** The handle that identifies the text to the addon. */
  readonly handle: object
  readonly parameters: Parameters
  /** `true` if the first statement only reads. */
  readonly reads: boolean
  /** `true` if the text begins or ends a transaction with its first word. */
  readonly bounds: boolean
  /** `true` if no reader may be open while the text runs. */
  readonly solo: boolean
  /** `true` if the text uses objects that other connections do not have. */
  readonly local: boolean
  /** The statements that set something of a connection, which the readers run too. */
  readonly settings: readonly string[]
  readonly #readers = new Map<number, Reader>()
  #reader: Reader | undefined
  #key = -1

  constructor(hub: Hub, text: string) {
    const native = new hub.addon.NativeSql(text)
    this.text = text
    this.handle = native.handle()
    this.parameters = new Parameters(native.parameters)
    this.reads = native.reads
    this.bounds = native.begins || native.ends
    this.solo = native.solo
    this.local = native.local
    this.settings = native.settings
  }

  /** Returns the reader for the rows of the reply that is being delivered. */
  reader(hub: Hub, shape: Shape): Reader {
    const key = (hub.calls.ints[LAYOUT] as number) * SHAPES.length + SHAPES.indexOf(shape)
    if (key === this.#key) return this.#reader as Reader
    let reader = this.#readers.get(key)
    if (reader === undefined) {
      reader = readerOf(hub.calls, shape, hub.columns())
      if (this.#readers.size === MAX_LAYOUTS) this.#readers.clear()
      this.#readers.set(key, reader)
    }
    this.#key = key
    this.#reader = reader
    return reader
  }
}

/** The texts that a database ran last. The least recently used text is first. */
export class SqlCache {
  readonly #hub: Hub
  readonly #texts = new Map<string, Sql>()
  #recent: Sql | undefined

  constructor(hub: Hub) {
    this.#hub = hub
  }

  get(text: string): Sql {
    if (this.#recent?.text === text) return this.#recent
    let sql = this.#texts.get(text)
    if (sql === undefined) {
      sql = new Sql(this.#hub, text)
      // A text that may hold a key is not kept.
      if (sql.solo) return sql
      if (this.#texts.size === MAX_TEXTS) this.#texts.delete(this.#texts.keys().next().value as string)
    } else this.#texts.delete(text)
    this.#texts.set(text, sql)
    this.#recent = sql
    return sql
  }

  clear(): void {
    this.#texts.clear()
    this.#recent = undefined
  }
}
