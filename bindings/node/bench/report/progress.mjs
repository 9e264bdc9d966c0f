// Shows the progress on stderr: on a terminal as one line that is rewritten, and otherwise as a line for each round and
// each note.

export class Progress {
  #stream
  #line = ''
  #round
  #started = Date.now()

  constructor(stream = process.stderr) {
    this.#stream = stream
  }

  /** Shows a step of the measurement. */
  show({ at, of, round, workload, configuration }) {
    if (this.#stream.isTTY) {
      const left = at > 1 ? `, ${duration(((Date.now() - this.#started) / (at - 1)) * (of - at + 1))} left` : ''
      this.#rewrite(`${at}/${of}${left}: round ${round + 1}, ${workload.name}, ${configuration.name}`)
    } else if (round !== this.#round) {
      this.#stream.write(`round ${round + 1}\n`)
    }
    if (this.#round === undefined) this.#started = Date.now()
    this.#round = round
  }

  /** Prints a line that the progress line does not overwrite. */
  note(text) {
    this.#rewrite('')
    this.#stream.write(`${text}\n`)
  }

  end() {
    this.#rewrite('')
  }

  #rewrite(line) {
    if (!this.#stream.isTTY) return
    const shown = line.slice(0, (this.#stream.columns ?? 80) - 1)
    if (shown !== this.#line) this.#stream.write(`\r\x1b[K${shown}`)
    this.#line = shown
  }
}

function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1e3)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
