import type { Arguments } from './arguments'
import type { Output } from './output'

/** An option of a command. */
export interface Option {
  /** The name without the two hyphens. */
  name: string
  /** The placeholder of the value in the help. An option without a placeholder takes no value. */
  value?: string
  /** Allows the option more than once. */
  multiple?: boolean
  /** A line for the help. */
  help: string
}

/** Options under a heading of the help. */
export interface OptionGroup {
  title: string
  options: readonly Option[]
}

/** An example of the help. */
export interface Example {
  line: string
  /** The effect of the line, as a phrase. */
  effect: string
}

/** A command, such as `check` or `keys add`. */
export interface Command {
  /** The words of the command: the file of a command with two words is between them. */
  words: readonly [string] | readonly [string, string]
  /** The names of the positional arguments. All are required. */
  positionals: readonly string[]
  /** The effect of the command, as a phrase for the list of commands. */
  summary: string
  /** Paragraphs for the command's own help. */
  description: readonly string[]
  groups: readonly OptionGroup[]
  examples: readonly Example[]
  /** Runs the command and returns the exit code. */
  run(given: Arguments, output: Output): Promise<number>
}

/** A command line that is not valid. */
export class UsageError extends Error {
  readonly code = 'STRONGROOM_USAGE'
  override readonly name = 'UsageError'

  /**
   * @param message - the mistake, and the correction
   * @param help - the command line that prints the help about the mistake
   */
  constructor(
    message: string,
    readonly help = 'strongroom --help',
  ) {
    super(message)
  }
}

/** Returns the line that shows how to call a command: `strongroom keys FILE add`. */
export function synopsis({ words: [command, subcommand], positionals: [file, ...others] }: Command): string {
  return ['strongroom', command, file, subcommand, ...others, '[options]'].filter(Boolean).join(' ')
}

/** Returns the command line that prints the help of a command. */
export function helpLine({ words }: Command): string {
  return `strongroom help ${words.join(' ')}`
}
