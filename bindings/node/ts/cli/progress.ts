import { writeSync } from 'node:fs'
import { type Output, printable } from './output'

const WIDTH = 30

/** A progress bar on standard error. Prints nothing unless standard error is a terminal. */
export class Progress {
  #line = ''
  readonly #shown: boolean
  readonly #label: string

  /** @param label - the work, such as `Checking notes.db` */
  constructor(output: Output, label: string) {
    this.#shown = output.showsProgress
    this.#label = printable(label)
  }

  /** Shows the part that is done. A total of 0 means that the work waits for a lock. */
  update(done: number, total: number): void {
    if (!this.#shown) return
    const part = total > 0 ? Math.min(1, done / total) : 0
    const filled = Math.floor(part * WIDTH)
    const bar = '#'.repeat(filled) + '.'.repeat(WIDTH - filled)
    this.say(total > 0 ? `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %` : 'waits for the file')
  }

  /** Shows a text instead of the bar, for work whose length is unknown. */
  say(text: string): void {
    if (this.#shown) this.#draw(`${this.#label}  ${text}`)
  }

  /** Removes the bar. */
  end(): void {
    if (this.#line !== '') this.#draw('')
  }

  #draw(line: string): void {
    if (line === this.#line) return
    this.#line = line
    const columns = process.stderr.columns || 80
    // A synchronous write also appears while a call of the addon blocks the event loop. `\x1b[K` erases the rest.
    try {
      writeSync(2, `\r${line.slice(0, columns - 1)}\x1b[K`)
    } catch {
      // A bar that cannot be drawn must not end the work.
    }
  }
}
