import type { CipherOptions } from '../api/key'
import type { Arguments } from './arguments'
import type { OptionGroup } from './command'
import type { FileKind } from './database-file'
import { keyFile, passphraseFile, recoveryFile } from './secret-file'
import { Terminal } from './terminal'

/** A secret that opens a file or that a file gets. */
export interface Secret {
  key?: Buffer
  passphrase?: Buffer
  recovery?: Buffer
  /** The only key slot to try. */
  slot?: string
}

/** The options that open a file. */
export const KEY: OptionGroup = {
  title: 'The key of the file (without one of these, strongroom asks for the passphrase)',
  options: [
    { name: 'passphrase', help: 'ask for the passphrase, without echo' },
    {
      name: 'passphrase-file',
      value: 'FILE',
      help: 'read the passphrase from FILE, without one line break at the end',
    },
    { name: 'key-file', value: 'FILE', help: 'read the raw key from FILE: 32 bytes, or 64 hexadecimal digits' },
    { name: 'recovery', help: 'ask for a recovery code' },
    { name: 'recovery-file', value: 'FILE', help: 'read a recovery code from FILE' },
    { name: 'slot', value: 'ID', help: 'try only this key slot; the first digits of the ID suffice' },
  ],
}

/** The options for the key that a file gets. */
export const NEW_KEY: OptionGroup = {
  title: 'The new key',
  options: [
    { name: 'new-passphrase', help: 'ask for the new passphrase twice, without echo' },
    { name: 'new-passphrase-file', value: 'FILE', help: 'read the new passphrase from FILE' },
    { name: 'new-key-file', value: 'FILE', help: 'read the new raw key from FILE' },
  ],
}

const NAMES = ['passphrase', 'passphrase-file', 'key-file', 'recovery', 'recovery-file']
/** The attempts at typing a new passphrase twice. */
const ATTEMPTS = 3

/** The role of a secret, as a prefix of its options: the current one, a new one, or that of another key slot. */
export type Role = '' | 'new-' | 'also-'

/** The secrets of a command. */
export class Secrets {
  #terminal: Terminal | undefined
  readonly #buffers: Buffer[] = []

  constructor(private readonly given: Arguments) {
    const sources = ['', 'new-', 'also-'].flatMap((role) =>
      NAMES.flatMap((name) => given.values(`${role}${name}`).filter((value) => value === '-')),
    )
    if (sources.length > 1) throw given.usage('only one option can read standard input (-)')
    this.#only('')
    this.#only('new-')
  }

  /** Returns whether the command line names a secret for this role. */
  has(role: Role): boolean {
    return this.given.given(NAMES.map((name) => `${role}${name}`)).length > 0
  }

  /** Returns the secret that opens a file. Asks for the passphrase if the command line names no secret. */
  async current(file: string): Promise<Secret> {
    if (this.has('')) return this.#named('', file)
    return { passphrase: await this.#asked(`Passphrase of ${file}: `, `"${file}" is encrypted`, '') }
  }

  /** Returns the secret that a file gets. Asks for a passphrase if the command line names no secret. */
  async fresh(file: string): Promise<Secret> {
    if (this.has('new-')) return this.#named('new-', file)
    return { passphrase: await this.#twice(file) }
  }

  /** Overwrites the secrets with zeros, and restores the terminal. */
  wipe(): void {
    for (const buffer of this.#buffers) buffer.fill(0)
    this.#terminal?.close()
    this.#terminal = undefined
  }

  /**
   * Restores the terminal after the last question.
   *
   * @throws {Interrupted} if a signal came after the last answer
   */
  asked(): void {
    const terminal = this.#terminal
    this.#terminal = undefined
    terminal?.close()
    if (terminal?.interrupted) throw terminal.interrupted
  }

  /** Returns the secrets of other key slots, which a rotation keeps. */
  async others(file: string): Promise<Secret[]> {
    const { given } = this
    const whose = `another slot of ${file}`
    const secrets: Secret[] = []
    for (const path of given.values('also-key-file'))
      secrets.push({ key: this.#kept(await keyFile(path, 'also-key-file', given)) })
    for (const path of given.values('also-passphrase-file'))
      secrets.push({ passphrase: this.#kept(await passphraseFile(path, 'also-passphrase-file', given)) })
    for (const path of given.values('also-recovery-file'))
      secrets.push({ recovery: this.#kept(await recoveryFile(path, 'also-recovery-file', given)) })
    for (let count = given.count('also-passphrase'); count > 0; count -= 1)
      secrets.push({ passphrase: await this.#passphrase(whose, 'also-') })
    for (let count = given.count('also-recovery'); count > 0; count -= 1)
      secrets.push({ recovery: await this.#recovery(whose, 'also-') })
    return secrets
  }

  async #named(role: '' | 'new-', file: string): Promise<Secret> {
    const { given } = this
    const path = (name: string): string | undefined => given.value(`${role}${name}`)
    const [keyPath, passphrasePath, recoveryPath] = [path('key-file'), path('passphrase-file'), path('recovery-file')]
    if (keyPath !== undefined) return { key: this.#kept(await keyFile(keyPath, `${role}key-file`, given)) }
    if (passphrasePath !== undefined)
      return { passphrase: this.#kept(await passphraseFile(passphrasePath, `${role}passphrase-file`, given)) }
    if (recoveryPath !== undefined)
      return { recovery: this.#kept(await recoveryFile(recoveryPath, `${role}recovery-file`, given)) }
    if (role === 'new-') return { passphrase: await this.#twice(file) }
    if (given.has('recovery')) return { recovery: await this.#recovery(file, role) }
    return { passphrase: await this.#passphrase(file, role) }
  }

  #passphrase(whose: string, role: Role): Promise<Buffer> {
    return this.#asked(`Passphrase of ${whose}: `, `--${role}passphrase asks for a passphrase`, role)
  }

  #recovery(whose: string, role: Role): Promise<Buffer> {
    return this.#asked(`Recovery code of ${whose}: `, `--${role}recovery asks for a recovery code`, role)
  }

  #only(role: Role): void {
    const given = this.given.given(NAMES.map((name) => `${role}${name}`))
    if (given.length > 1) throw this.given.usage(`${given.join(' and ')} cannot be combined: give one of them`)
  }

  #kept(buffer: Buffer): Buffer {
    this.#buffers.push(buffer)
    return buffer
  }

  async #asked(question: string, why: string, role: Role): Promise<Buffer> {
    const answer = this.#kept(await this.#open(why, role).ask(question))
    if (answer.length === 0) throw new EmptyError()
    return answer
  }

  async #twice(file: string): Promise<Buffer> {
    const terminal = this.#open('a new passphrase is needed', 'new-')
    for (let attempt = 1; ; attempt += 1) {
      const first = this.#kept(await terminal.ask(`New passphrase of ${file}: `))
      if (first.length === 0) {
        if (attempt === ATTEMPTS) throw new EmptyError()
        terminal.say('An empty passphrase is refused.')
        continue
      }
      const second = this.#kept(await terminal.ask('The new passphrase again: '))
      if (first.equals(second)) return first
      if (attempt === ATTEMPTS) throw new DifferentError()
      terminal.say('The passphrases differ. Type the new passphrase twice.')
    }
  }

  #open(why: string, role: Role): Terminal {
    this.#terminal ??= Terminal.open()
    if (this.#terminal !== undefined) return this.#terminal
    const names = ['passphrase-file', 'key-file', 'recovery-file'].map((name) => `${role}${name}`)
    const known = names.filter((name) => this.given.knows(name)).map((name) => `--${name}`)
    throw this.given.usage(
      `${why}, and the process has no terminal to ask on: give ${new Intl.ListFormat('en', { type: 'disjunction' }).format(known)} (the file "-" is standard input)`,
    )
  }
}

class EmptyError extends Error {
  readonly code = 'STRONGROOM_KEY_EMPTY'

  constructor() {
    super('the answer is empty; an empty passphrase is refused')
  }
}

class DifferentError extends Error {
  readonly code = 'STRONGROOM_PASSPHRASES_DIFFER'

  constructor() {
    super(`the passphrases differed ${ATTEMPTS} times; nothing was changed`)
  }
}

/** Returns whether a file needs a key to open: only a plain or an empty file needs none. */
export function needsKey(kind: FileKind, parameters: CipherOptions): boolean {
  // A file of SQLCipher with `plaintextHeaderSize` begins as a plain file does.
  return kind === 'unknown' || kind === 'strongroom' || Object.keys(parameters).length > 0
}
