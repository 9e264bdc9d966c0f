import { isatty } from 'node:tty'
import { OutputError, print } from './stdout'
import { fitting } from './wrapped'

/** The ways in which a command prints. */
export interface OutputOptions {
  json: boolean
  quiet: boolean
  debug: boolean
}

/** Prints the results and the messages of a command. */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly debug: boolean

  constructor(options: OutputOptions) {
    this.json = options.json
    this.quiet = options.quiet
    this.debug = options.debug
  }

  /** Whether progress is wanted and visible. */
  get showsProgress(): boolean {
    return !this.json && !this.quiet && isatty(2)
  }

  /**
   * Prints a result: the object with `--json`, or else the text.
   *
   * @throws {OutputError} if standard output does not take all of the result
   */
  async result(object: object, text: string): Promise<void> {
    await print(this.json ? `${JSON.stringify(object, plainly, 2)}\n` : `${printableLines(text)}\n`)
  }

  /**
   * Prints a message about success: the object with `--json`, or else the text, unless `--quiet` is given.
   *
   * @throws {OutputError} as {@link result} does
   */
  async success(object: object, text: string): Promise<void> {
    if (!this.json && this.quiet) return
    try {
      await this.result(object, fitting(text, process.stdout))
    } catch (error) {
      if (error instanceof OutputError) error.message += '; the work itself is done'
      throw error
    }
  }

  /** Prints advice for a person, apart from the result. */
  note(text: string): void {
    if (!this.json && !this.quiet) process.stderr.write(`${fitting(printableLines(text), process.stderr)}\n`)
  }
}

/** Turns a bigint into text: JSON has no integers beyond those of a double. */
function plainly(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** Returns a text for a terminal: characters that control the terminal are written as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** Returns a text of several lines for a terminal. The names of files and tables in it can be anything. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** Returns a number with separators between the thousands. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

/** Returns a number and its noun: `1 page`, `2 pages`. */
export function counted(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`
}
