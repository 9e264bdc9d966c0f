import { nearest } from '../api/arguments'
import { Arguments, COMMON, mayBeValue, optionsOf, type Parsed, parse } from './arguments'
import { type Command, type Option, UsageError } from './command'
import { FILE_COMMANDS } from './commands'
import { EXIT } from './exit'
import { commandHelp, familyHelp, generalHelp } from './help'
import { KEYS_COMMANDS, KEYS_DESCRIPTION } from './keys-commands'
import { Output } from './output'
import { report } from './report'
import { print } from './stdout'

const COMMANDS: readonly Command[] = [...FILE_COMMANDS, ...KEYS_COMMANDS]
const NAMES: readonly string[] = [...new Set(COMMANDS.map(({ words: [name] }) => name))]
const SUBCOMMANDS: readonly string[] = KEYS_COMMANDS.map(({ words }) => words[1] ?? '')
const OPTIONS: readonly Option[] = [...COMMANDS.flatMap(optionsOf), ...COMMON, { name: 'version', help: '' }]

/** Runs the program. Returns the exit code. */
export async function main(line: readonly string[]): Promise<number> {
  const parsed = parse(line, OPTIONS)
  const has = (name: string): boolean => parsed.options.some((option) => option.name === name)
  const output = new Output({
    json: has('json'),
    quiet: has('quiet'),
    debug: has('debug') || process.env['STRONGROOM_DEBUG'] === '1',
  })
  try {
    if (parsed.words[0] === 'help') return await help(parsed.words.slice(1))
    if (parsed.words.length === 0 && has('version')) return await version(output)
    if (has('help')) return await help(parsed.words)
    return await run(parsed, output)
  } catch (error) {
    return report(error, output)
  }
}

async function run(parsed: Parsed, output: Output): Promise<number> {
  const [name, ...words] = parsed.words
  if (name === undefined) {
    const [option] = parsed.options
    throw new UsageError(option === undefined ? 'a command is missing' : `${option.typed} needs a command`)
  }
  const command = COMMANDS.find(({ words: [first, second] }) => first === name && second === undefined)
  if (command !== undefined) return command.run(new Arguments(command, words, parsed.options), output)
  if (name !== 'keys') throw unknown('command', name, NAMES, 'strongroom --help')
  const [file, subcommand = 'list', ...rest] = words
  if (file !== undefined && SUBCOMMANDS.includes(file) && !SUBCOMMANDS.includes(subcommand))
    throw new UsageError(`the file comes first: strongroom keys FILE ${file}`, 'strongroom help keys')
  const named = (name: string): Command | undefined => KEYS_COMMANDS.find(({ words }) => words[1] === name)
  const found = named(subcommand)
  // `keys FILE --passphrase WORD` lists the slots. The message about the option does not repeat the word.
  const list = mayBeValue(parsed, 2, OPTIONS) && !nearest(subcommand, SUBCOMMANDS) ? named('list') : undefined
  if (found === undefined && list !== undefined) return list.run(new Arguments(list, words, parsed.options), output)
  if (found === undefined) throw unknown('command of `keys`', subcommand, SUBCOMMANDS, 'strongroom help keys')
  const positionals = file === undefined ? [] : [file, ...rest]
  return found.run(new Arguments(found, positionals, parsed.options), output)
}

/** Prints the help about the command in some words, which may have a file between them. */
async function help(words: readonly string[]): Promise<number> {
  await print(`${helpText(words)}\n`)
  return EXIT.done
}

function helpText(words: readonly string[]): string {
  const [name] = words
  if (name === undefined) return generalHelp(COMMANDS)
  if (!NAMES.includes(name)) throw unknown('command', name, NAMES, 'strongroom --help')
  const command = COMMANDS.find(({ words: [first, second] }) => first === name && second === undefined)
  if (command !== undefined) return commandHelp(command)
  // `help keys add` and `keys FILE add --help`
  const subcommand = KEYS_COMMANDS.find(({ words: [, second] }) => words.slice(1).includes(second ?? ''))
  return subcommand ? commandHelp(subcommand) : familyHelp('keys', KEYS_COMMANDS, KEYS_DESCRIPTION)
}

/** Prints the versions. A program that only reports a version also works where the addon does not load. */
async function version(output: Output): Promise<number> {
  const { strongroom, libraries } = versions(output)
  const { platform, arch, version: node } = process
  const names = Object.entries({ ...libraries, node }).map(([name, version]) => `${name} ${version}`)
  await output.result(
    { strongroom, ...libraries, node, platform, arch },
    `strongroom ${strongroom}\n${names.join(', ')}, ${platform}-${arch}`,
  )
  return EXIT.done
}

function versions(output: Output): { strongroom: string; libraries: object } {
  try {
    const { strongroom, ...libraries } = (require('../api/versions') as typeof import('../api/versions')).versions()
    return { strongroom, libraries }
  } catch (error) {
    output.note((error as Error).message)
    const { packageJson } = require('../load/installation') as typeof import('../load/installation')
    return { strongroom: packageJson.version, libraries: {} }
  }
}

function unknown(what: string, name: string, known: readonly string[], help: string): UsageError {
  const meant = nearest(name, known)
  const advice = meant === undefined ? `the commands are ${known.join(', ')}` : `did you mean "${meant}"?`
  return new UsageError(`"${name}" is not a ${what}; ${advice}`, help)
}
