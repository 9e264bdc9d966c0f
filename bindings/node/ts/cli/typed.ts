import { secretBuffer } from './secret-buffer'

/** The most bytes of one answer. The rest of a longer answer is ignored. */
const LIMIT = 64 * 1024

const KEY = {
  interrupt: 0x03,
  end: 0x04,
  backspace: 0x08,
  tab: 0x09,
  lineFeed: 0x0a,
  return: 0x0d,
  clear: 0x15,
  escape: 0x1b,
  delete: 0x7f,
} as const

/**
 * The bytes that a terminal in raw mode sends, as answers to questions.
 *
 * The answers are bytes and never strings, because a program can overwrite bytes. An arrow key, another key with an
 * escape sequence, and the marks of a bracketed paste add nothing to the answer.
 */
export class Typed {
  /** The bytes that no answer has taken yet. */
  #waiting: Buffer[] = []
  #at = 0
  readonly #line: Buffer = secretBuffer(LIMIT)
  #length = 0
  #escape: 'none' | 'escape' | 'sequence' | 'letter' = 'none'
  #afterReturn = false

  /** Adds a copy of bytes from the terminal. */
  add(bytes: Uint8Array): void {
    const copy = secretBuffer(bytes.length)
    copy.set(bytes)
    this.#waiting.push(copy)
  }

  /**
   * Returns the next answer, `interrupt` for Ctrl+C, `end` for Ctrl+D before any text, or undefined if more bytes are
   * needed.
   */
  answer(): Buffer | 'interrupt' | 'end' | undefined {
    for (let byte = this.#next(); byte !== undefined; byte = this.#next()) {
      const afterReturn = this.#afterReturn
      this.#afterReturn = byte === KEY.return
      if (byte === KEY.interrupt) return 'interrupt'
      if (this.#escaped(byte)) continue
      if (byte === KEY.end && this.#length === 0) return 'end'
      if (byte === KEY.return || byte === KEY.end || (byte === KEY.lineFeed && !afterReturn)) return this.#take()
      this.#edit(byte)
    }
    return undefined
  }

  /** Overwrites all bytes. */
  wipe(): void {
    for (const bytes of this.#waiting) bytes.fill(0)
    this.#waiting = []
    this.#at = 0
    this.#line.fill(0)
    this.#length = 0
  }

  #next(): number | undefined {
    const [bytes] = this.#waiting
    if (bytes === undefined) return undefined
    const byte = bytes[this.#at]
    bytes[this.#at] = 0
    this.#at += 1
    if (this.#at >= bytes.length) {
      this.#waiting.shift()
      this.#at = 0
    }
    return byte
  }

  /** Returns whether a byte belongs to an escape sequence (ECMA-48, 5.4), which is ignored. */
  #escaped(byte: number): boolean {
    switch (this.#escape) {
      case 'none':
        if (byte !== KEY.escape) return false
        this.#escape = 'escape'
        return true
      case 'escape':
        // Alt and a letter arrives as an escape and the letter: the letter is typed.
        this.#escape = byte === 0x5b ? 'sequence' : byte === 0x4f ? 'letter' : byte === KEY.escape ? 'escape' : 'none'
        return this.#escape !== 'none'
      case 'sequence':
        // Linux' console sends `ESC [ [ A` for F1.
        if (byte === 0x5b) this.#escape = 'letter'
        else if (byte >= 0x40 && byte <= 0x7e) this.#escape = 'none'
        return true
      case 'letter':
        this.#escape = 'none'
        return true
    }
  }

  #edit(byte: number): void {
    if (byte === KEY.clear) {
      this.#line.fill(0, 0, this.#length)
      this.#length = 0
    } else if (byte === KEY.backspace || byte === KEY.delete) {
      // Removes one character, as the terminal itself does: a first byte and its continuation bytes.
      while (this.#length > 0 && ((this.#line[this.#length - 1] ?? 0) & 0xc0) === 0x80) this.#remove()
      if (this.#length > 0) this.#remove()
    } else if ((byte >= 0x20 || byte === KEY.tab) && this.#length < LIMIT) {
      this.#line[this.#length] = byte
      this.#length += 1
    }
  }

  #remove(): void {
    this.#length -= 1
    this.#line[this.#length] = 0
  }

  #take(): Buffer {
    const answer = secretBuffer(this.#length)
    this.#line.copy(answer, 0, 0, this.#length)
    this.#line.fill(0, 0, this.#length)
    this.#length = 0
    return answer
  }
}
