import { COMMON } from './arguments'
import { type Command, type Example, type OptionGroup, synopsis } from './command'
import { MEANINGS } from './exit'
import { wrapped } from './wrapped'

const INDENT = 2
/** The widest first column. A longer entry has its text on the next line. */
const WIDEST = 26

/** Returns the help about the whole program. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    'Usage: strongroom COMMAND FILE [options]',
    wrapped('Keys, conversion, backup and checks of encrypted SQLite databases.'),
    section('Commands', summaries(commands)),
    section(
      'Options',
      columns([
        ['--help', 'print this help; strongroom COMMAND --help describes a command'],
        ['--version', 'print the versions of strongroom and of its libraries'],
      ]),
    ),
    section('Secrets', wrapped(SECRETS, INDENT)),
    exitCodes(),
    examples([
      { line: 'strongroom check notes.db', effect: 'Asks for the passphrase, and looks for damage' },
      { line: 'strongroom encrypt notes.db', effect: 'Encrypts a plain database with a passphrase' },
      { line: 'strongroom keys notes.db add --new-recovery', effect: 'Prints a recovery code' },
      { line: 'strongroom help keys add', effect: 'Describes one command' },
    ]),
  ].join('\n\n')
}

const SECRETS =
  'A secret is never an argument or an environment variable, because other programs can read these. strongroom asks ' +
  'on the terminal without echo, or reads a file: --passphrase-file FILE. The file "-" is standard input.'

/** Returns a line for each command: its arguments, and its summary. */
function summaries(commands: readonly Command[]): string {
  return columns(
    commands.map((command) => [
      synopsis(command)
        .replace(/^strongroom /, '')
        .replace(' [options]', ''),
      command.summary,
    ]),
  )
}

/** Returns the help about a command. */
export function commandHelp(command: Command): string {
  const groups = [...command.groups, { title: 'Options', options: COMMON }]
  return [
    `Usage: ${synopsis(command)}`,
    ...command.description.map((paragraph) => wrapped(paragraph)),
    ...groups.map(optionGroup),
    exitCodes(),
    examples(command.examples),
  ].join('\n\n')
}

/** Returns the help about a command with subcommands. */
export function familyHelp(name: string, commands: readonly Command[], description: readonly string[]): string {
  return [
    `Usage: strongroom ${name} FILE [COMMAND] [options]`,
    ...description.map((paragraph) => wrapped(paragraph)),
    section('Commands', summaries(commands)),
    wrapped(`\`strongroom help ${name} COMMAND\` describes the options of a command.`),
    exitCodes(),
    examples(commands.flatMap((command) => command.examples.slice(0, 1))),
  ].join('\n\n')
}

function optionGroup({ title, options }: OptionGroup): string {
  return section(
    title,
    columns(options.map(({ name, value, help }) => [value === undefined ? `--${name}` : `--${name} ${value}`, help])),
  )
}

function exitCodes(): string {
  return section('Exit codes', columns(MEANINGS.map(([code, meaning]) => [String(code), meaning])))
}

function examples(list: readonly Example[]): string {
  const lines = list.map(({ line, effect }) => `  # ${effect}\n  ${line}`)
  return section('Examples', lines.join('\n'))
}

function section(title: string, body: string): string {
  return `${wrapped(`${title}:`)}\n${body}`
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(WIDEST, Math.max(...rows.map(([name]) => name.length)))
  const indent = INDENT + width + 2
  return rows
    .map(([name, text]) => {
      const first = `${' '.repeat(INDENT)}${name}`
      const rest = wrapped(text, indent)
      return name.length > width ? `${first}\n${rest}` : first.padEnd(indent) + rest.slice(indent)
    })
    .join('\n')
}
