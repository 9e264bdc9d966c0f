// Runs the examples of docs/command-line.md in a pseudo-terminal, in the order of the page and in one folder. Each
// command must print what the page shows. Ids, times and recovery codes differ in each run: a name of the page stands
// for the value of the run.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { noTerminal, program, strongroom, terminal } from '../command-line.mjs'
import { folder } from '../temporary.mjs'
import { page } from './docs.mjs'

const text = page('command-line.md')
const PASSPHRASE = 'correct horse'

/** Returns the commands of the page, each with the lines that the page shows after the command. */
function commands() {
  const blocks = [...text.matchAll(/^```console\n(.*?)^```/gms)].map(([, block]) => block)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...lines] = part.trimEnd().split('\n')
        return { command, lines }
      }),
  )
}

/** Values of the page, and their values in this run. */
const values = new Map()

/** Matches the values that differ in each run: a recovery code, an id, and a time. */
const VARIABLE = /\b[A-Z0-9]{4}(?:-[A-Z0-9]{4}){7}\b|\b[0-9a-f]{16}\b|\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g

/** Compares a line with the line of the page, and remembers the values of this run. */
function compare(actual, shown, command) {
  const found = actual.match(VARIABLE) ?? []
  const named = shown.match(VARIABLE) ?? []
  for (const [index, value] of named.entries()) {
    const known = values.get(value)
    if (known !== undefined && !value.includes(':')) assert.equal(found[index], known, command)
    values.set(value, found[index])
  }
  assert.equal(actual.replaceAll(VARIABLE, '…'), shown.replaceAll(VARIABLE, '…'), command)
}

/** Replaces the beginnings of ids by those of this run. */
function inThisRun(command) {
  return command.replaceAll(/\b[0-9a-f]{4,16}\b/g, (digits) => {
    const [, value] = [...values].find(([id]) => id.startsWith(digits)) ?? [undefined, digits]
    return value.slice(0, digits.length)
  })
}

/** Matches the progress bar, which the program erases. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the bar ends with this sequence
const BAR = /\r[^\r\n]*\x1b\[K/g

const CODE = /^[A-Z0-9]{4}(-[A-Z0-9]{4}){7}$/
const answer = (question) =>
  question.startsWith('Recovery code') ? [...values].find(([name]) => CODE.test(name))[1] : PASSPHRASE

/** Makes the files with which the examples begin, and a folder with the program for PATH. */
function prepare() {
  for (const [name, options] of [
    ['notes.db', {}],
    ['old.db', { passphrase: PASSPHRASE, cipherCompatibility: 3 }],
  ]) {
    const db = new Database(join(folder, name), options)
    db.exec('CREATE TABLE note (text TEXT)')
    const insert = db.prepare('INSERT INTO note VALUES (?)')
    db.transaction(() => {
      for (let row = 0; row < 100; row++) insert.run('x'.repeat(180))
    })()
    db.close()
  }
  writeFileSync(join(folder, 'notes.txt'), `${PASSPHRASE}\n`)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'strongroom'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`)
  chmodSync(join(bin, 'strongroom'), 0o755)
  return { PATH: [bin, process.env.PATH].join(delimiter) }
}

test('docs/command-line.md: every example prints what the page shows', { skip: noTerminal }, async (context) => {
  const env = prepare()
  const list = commands()
  assert.ok(list.length >= 18, `${list.length}`)
  for (const { command, lines } of list)
    await context.test(command, () => {
      const questions = lines.filter((line) => /^(Passphrase|New passphrase|The new|Recovery code) .*:$/.test(line))
      const run = terminal(
        ['bash', '-c', inThisRun(command)],
        questions.map((line) => [`${line} `, `${answer(line)}\r`]),
        { env },
      )
      const shown = run.terminal.replaceAll(BAR, '').replaceAll('\r\n', '\n')
      const actual = shown === '' ? [] : shown.trimEnd().split('\n')
      assert.equal(actual.length, lines.length, shown)
      for (const [index, line] of lines.entries()) compare(actual[index].trimEnd(), line, command)
    })
})

test("docs/command-line.md has every command, and the program's exit codes", () => {
  const help = strongroom(['--help']).stdout
  const [, list] = /^Commands:\n(.*?)\n\n/ms.exec(help)
  const listed = [...list.matchAll(/^ {2}(\S.*?) {2,}/gm)].map(([, command]) => command.replace(' list', ''))
  const described = [...text.matchAll(/^\| `strongroom (.*?)` \|/gm)].map(([, command]) => command)
  assert.deepEqual(described, listed)
  const codes = (pattern) => [...pattern].map(([, code, meaning]) => [code, meaning])
  const [, section] = /^Exit codes:\n(.*?)\n\n/ms.exec(help)
  assert.deepEqual(codes(text.matchAll(/^\| (\d+) \| (.*) \|$/gm)), codes(section.matchAll(/^ {2}(\d+) +(.*)$/gm)))
})

test('docs/command-line.md names every option of the help, and no other', () => {
  const pages = ['check', 'encrypt', 'decrypt', 'migrate', 'backup', 'list', 'add', 'remove', 'change', 'rotate']
  const help = pages
    .map((name, index) => strongroom(['help', ...(index < 5 ? [name] : ['keys', name])]).stdout)
    .join('')
  const options = new Set([...help.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option))
  const named = new Set([...text.matchAll(/--[a-z][\w-]*\w(?![\w-])/g)].map(([option]) => option))
  // The page describes the prefix of these options.
  const prefixed = (option) => /^--(new|also)-/.test(option) && options.has(option.replace(/^--(new|also)-/, '--'))
  assert.deepEqual(
    [...options].filter((option) => !named.has(option) && !prefixed(option)),
    [],
  )
  const others = ['--help', '--version', '--global']
  assert.deepEqual(
    [...named].filter((option) => !options.has(option) && !others.includes(option)),
    [],
  )
})
