import { closeSync, openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { exitOf, Interrupted, SIGNALS } from './interrupt'
import { printable } from './output'
import { Typed } from './typed'

/** A terminal that asks for secrets without echo. */
export class Terminal {
  #typed = new Typed()
  #wake: () => void = () => {}
  #ended: Error | undefined
  #listening = false

  private constructor(
    private readonly input: ReadStream,
    private readonly output: { write(text: string): unknown },
    private readonly release: () => void,
  ) {}

  /**
   * Opens the terminal of the process, or returns undefined if the process has none.
   *
   * The questions go to standard error, so standard output stays clean. If standard input or standard error is not a
   * terminal, the questions and the answers go through `/dev/tty`, as those of ssh do.
   */
  static open(): Terminal | undefined {
    if (process.stdin.isTTY && process.stderr.isTTY)
      return new Terminal(process.stdin, process.stderr, () => process.stdin.pause().unref())
    if (process.platform === 'win32') return undefined
    let files: number[] = []
    try {
      files = [openSync('/dev/tty', 'r'), openSync('/dev/tty', 'w')]
      const [input, output] = [new ReadStream(files[0] as number), new WriteStream(files[1] as number)]
      // A terminal whose window is closed takes no more text.
      output.on('error', () => {})
      return new Terminal(input, output, () => {
        input.destroy()
        output.destroy()
      })
    } catch {
      for (const file of files) closeSync(file)
      return undefined
    }
  }

  /**
   * Asks a question and returns the bytes of the answer, which are UTF-8 as the terminal sends them.
   *
   * The terminal stays in raw mode until {@link close}: text that is typed or pasted early then has no echo either.
   *
   * @throws {Interrupted} for Ctrl+C, and for a signal: its usual effect would leave the terminal without echo
   */
  async ask(question: string): Promise<Buffer> {
    this.#listen()
    this.output.write(printable(question))
    try {
      for (;;) {
        if (this.interrupted) throw this.interrupted
        const answer = this.#typed.answer()
        if (answer === 'interrupt') throw new Interrupted('cancelled')
        if (answer === 'end') throw new Error('the terminal ended the input before an answer')
        if (answer !== undefined) return answer
        if (this.#ended) throw this.#ended
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.output.write('\n')
    }
  }

  /** Prints a line between two questions. */
  say(text: string): void {
    this.output.write(`${text}\n`)
  }

  /** The signal that has ended the questions. */
  get interrupted(): Interrupted | undefined {
    return this.#ended instanceof Interrupted ? this.#ended : undefined
  }

  /** Restores the terminal. */
  close(): void {
    if (this.#listening) {
      for (const name of SIGNALS) process.off(name, this.#interrupt)
      this.#restore()
      this.input.removeAllListeners('data').removeAllListeners('end').removeAllListeners('error')
    }
    this.#typed.wipe()
    this.release()
  }

  /** Ends the question, or the next one. */
  readonly #interrupt = (signal: NodeJS.Signals): void => {
    this.#ended = new Interrupted('cancelled', exitOf(signal))
    this.#wake()
  }

  #restore(): void {
    try {
      this.input.setRawMode(false)
    } catch {
      // The terminal is gone.
    }
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    // Without raw mode, the terminal would echo the answer.
    this.input.setRawMode(true)
    for (const name of SIGNALS) process.on(name, this.#interrupt)
    this.input.on('data', (chunk: Buffer) => {
      this.#typed.add(chunk)
      chunk.fill(0)
      this.#wake()
    })
    const end = (error?: Error): void => {
      this.#ended ??= new Error('the terminal was closed before an answer', error && { cause: error })
      this.#wake()
    }
    this.input.on('end', () => end()).on('error', end)
    this.input.ref().resume()
  }
}
