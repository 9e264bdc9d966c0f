import { parseArgs } from 'node:util'
import { nearest } from '../api/arguments'
import { type Command, helpLine, type Option, synopsis, UsageError } from './command'

/** The options that every command has. */
export const COMMON: readonly Option[] = [
  { name: 'json', help: 'print one JSON object; errors are JSON as well, on standard error' },
  { name: 'quiet', help: 'print no progress, and no message about success' },
  { name: 'timeout', value: 'SECONDS', help: 'the time to wait for the lock of another program; default: 5' },
  { name: 'debug', help: 'print the stack of an error, as STRONGROOM_DEBUG=1 does' },
  { name: 'help', help: 'print this help' },
]

/** Returns all options of a command. */
export function optionsOf(command: Command): Option[] {
  return [...command.groups.flatMap(({ options }) => options), ...COMMON]
}

/** The words and the options of a command line, before a command has checked them. */
export interface Parsed {
  words: string[]
  options: readonly Given[]
}

interface Given {
  /** The name without hyphens. */
  name: string
  /** The name as it was typed. */
  typed: string
  value: string | undefined
  /** `true` for `--name=value`. */
  inline: boolean
  /** The number of words before the option. */
  after: number
}

/** Splits a command line. `known` holds the options of every command: the command is not known yet. */
export function parse(line: readonly string[], known: readonly Option[]): Parsed {
  const config = Object.fromEntries(
    known.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  )
  const options = { ...config, help: { type: 'boolean', short: 'h' } as const }
  // This module checks the options, since the errors of `parseArgs` do not name the nearest option.
  const { tokens } = parseArgs({ args: [...line], options, strict: false, allowPositionals: true, tokens: true })
  const words: string[] = []
  const given: Given[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    else if (token.kind === 'option')
      given.push({
        name: token.name,
        typed: token.rawName,
        value: token.value,
        inline: token.inlineValue ?? false,
        after: words.length,
      })
  }
  return { words, options: given }
}

/** The checked arguments of a command. */
export class Arguments {
  readonly #options: ReadonlyMap<string, readonly Given[]>

  /**
   * Checks the options and the positional arguments of a command.
   *
   * @throws {UsageError} for the first mistake
   */
  constructor(
    readonly command: Command,
    private readonly positionals: readonly string[],
    options: readonly Given[],
  ) {
    const known = optionsOf(command)
    const checked = new Map<string, Given[]>()
    for (const option of options) {
      const definition = known.find(({ name }) => name === option.name)
      if (definition === undefined) throw this.usage(unknownOption(option, command, known))
      checkValue(this, definition, option)
      const before = checked.get(option.name) ?? []
      if (before.length > 0 && definition.value !== undefined && !definition.multiple)
        throw this.usage(`${option.typed} is given twice`)
      checked.set(option.name, [...before, option])
    }
    this.#options = checked
    this.#checkPositionals(options)
    // A mistake in an option is reported before the command asks for a secret.
    this.milliseconds('timeout')
  }

  /** Returns a positional argument. */
  positional(name: string): string {
    return this.positionals[this.command.positionals.indexOf(name)] ?? ''
  }

  /** Returns whether an option without a value is given. */
  has(name: string): boolean {
    return this.#options.has(name)
  }

  /** Returns the number of times that an option is given. */
  count(name: string): number {
    return this.#options.get(name)?.length ?? 0
  }

  /** Returns the value of an option. */
  value(name: string): string | undefined {
    return this.values(name)[0]
  }

  /** Returns the values of an option that can be given more than once. */
  values(name: string): string[] {
    return (this.#options.get(name) ?? []).flatMap(({ value }) => value ?? [])
  }

  /** Returns the value of an option as an integer. */
  integer(name: string): number | undefined {
    const text = this.value(name)
    if (text === undefined) return undefined
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw this.usage(`--${name} needs a whole number, not "${text}"`)
    return Number(text)
  }

  /** Returns the value of an option in seconds, as milliseconds. */
  milliseconds(name: string): number | undefined {
    const text = this.value(name)
    if (text === undefined) return undefined
    if (!/^\d+(\.\d{1,3})?$/.test(text))
      throw this.usage(`--${name} needs seconds, in whole milliseconds, such as 5 or 0.25, not "${text}"`)
    return Math.round(Number(text) * 1000)
  }

  /** Returns whether the command has an option. */
  knows(name: string): boolean {
    return optionsOf(this.command).some((option) => option.name === name)
  }

  /** Returns the given options of these names, with hyphens. */
  given(names: readonly string[]): string[] {
    return names.filter((name) => this.has(name)).map((name) => `--${name}`)
  }

  /** Returns an error that points to the help of the command. */
  usage(message: string): UsageError {
    return new UsageError(message, helpLine(this.command))
  }

  #checkPositionals(options: readonly Given[]): void {
    const { positionals: names } = this.command
    const missing = names[this.positionals.length]
    if (missing !== undefined) throw this.usage(`${missing} is missing: ${synopsis(this.command)}`)
    if (this.positionals.length > names.length) {
      // The word after `--passphrase` is a secret: the message must not repeat the word.
      const asks = options.find(({ name, value }) => ASKS.test(name) && value === undefined)
      if (asks !== undefined)
        throw this.usage(
          `${asks.typed} takes no value: strongroom asks for the secret, since other programs can read a command line`,
        )
      throw this.usage(`unexpected argument "${this.positionals[names.length]}": ${synopsis(this.command)}`)
    }
    const empty = names.find((_, index) => this.positionals[index] === '')
    if (empty !== undefined) throw this.usage(`${empty} is empty: is a variable not set?`)
  }
}

/** Matches the options that ask for a secret. */
const ASKS = /^(new-|also-)?(passphrase|recovery)$/

/**
 * Returns whether the word at an index may be meant as the value of the option before it: an option that asks for a secret, or
 * one that no command has. Such a word may be a secret.
 */
export function mayBeValue({ options }: Parsed, index: number, known: readonly Option[]): boolean {
  return options.some(
    ({ name, value, after }) =>
      after === index && value === undefined && (ASKS.test(name) || known.every((option) => option.name !== name)),
  )
}

function checkValue(given: Arguments, { name, value: placeholder }: Option, { value, inline, typed }: Given): void {
  if (placeholder === undefined) {
    if (!inline) return
    if (ASKS.test(name))
      throw given.usage(
        `${typed} takes no value: strongroom asks for the secret, since other programs can read a command line`,
      )
    throw given.usage(`${typed} takes no value`)
  }
  if (value === undefined) throw given.usage(`${typed} needs a value: ${typed} ${placeholder}`)
  if (value === '') throw given.usage(`the value of ${typed} is empty: is a variable not set?`)
  if (!inline && /^-./.test(value))
    throw given.usage(
      `${typed} needs a value: ${typed} ${placeholder}, or ${typed}=${value} if "${value}" is the value`,
    )
}

function unknownOption({ name, typed }: Given, command: Command, known: readonly Option[]): string {
  const names = known.map((option) => option.name)
  const meant = names.find((candidate) => candidate === `new-${name}`) ?? nearest(name, names)
  const advice = meant === undefined ? '' : `; did you mean --${meant}?`
  return `${command.words.join(' ')} has no option ${typed}${advice}`
}
