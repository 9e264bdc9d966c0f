// Tests how the program `strongroom` asks for secrets in a terminal, shows progress, and ends at Ctrl+C.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { inTerminal, noTerminal, program, terminal } from './command-line.mjs'
import { folder, freshPath } from './temporary.mjs'

const skip = noTerminal
const ENTER = '\r'
const CTRL_C = '\x03'

function made(options) {
  const path = freshPath()
  new Database(path, options).exec("CREATE TABLE t (a); INSERT INTO t VALUES ('x')").close()
  return basename(path)
}

/** Returns whether a passphrase opens a file. */
function opens(name, passphrase) {
  try {
    new Database(join(folder, name), { passphrase, fileMustExist: true }).close()
    return true
  } catch (error) {
    assert.equal(error.code, 'STRONGROOM_WRONG_KEY')
    return false
  }
}

/** Runs check, types an answer to its question, and returns the outcome. */
function answered(name, keys, { signal, ...options } = {}) {
  return inTerminal(['check', name], [[`Passphrase of ${name}: `, keys, { signal }]], options)
}

test('a passphrase is typed without echo, and the terminal is restored', { skip }, () => {
  const name = made({ passphrase: 'correct horse' })
  const { terminal, status, restored } = answered(name, `correct horse${ENTER}`)
  assert.deepEqual({ status, restored }, { status: 0, restored: true })
  assert.ok(terminal.startsWith(`Passphrase of ${name}: \r\n`), JSON.stringify(terminal))
  assert.ok(!terminal.includes('horse'), JSON.stringify(terminal))
  assert.match(terminal, /no damage/)
})

test('the question and the progress stay out of standard output', { skip }, () => {
  const name = made({ passphrase: 'x' })
  const { terminal, stdout, status } = answered(name, `x${ENTER}`, { piped: ['stdout'] })
  assert.equal(status, 0)
  assert.match(stdout, new RegExp(`^${name}: no damage in .*\n$`))
  assert.ok(terminal.startsWith('Passphrase of '), terminal)
})

test('the question goes to the terminal if the three streams are pipes', { skip }, () => {
  const name = made({ passphrase: 'x' })
  const run = answered(name, `x${ENTER}`, { piped: ['stdin', 'stdout', 'stderr'], input: 'not the passphrase\n' })
  const { terminal, stderr, status, restored } = run
  assert.deepEqual({ stderr, status, restored }, { stderr: '', status: 0, restored: true })
  assert.equal(terminal, `Passphrase of ${name}: \r\n`)
})

for (const [what, passphrase, keys] of [
  ['backspace removes the last character', 'abc', 'abxx\x7f\x08c'],
  ['backspace removes a character of several bytes', 'né', 'nüß€😀\x7f\x7f\x7f\x7fé'],
  ['backspace in an empty answer does nothing', 'a', '\x7f\x7fa'],
  ['Ctrl+U removes the answer', 'right', 'wrong\x15right'],
  ['Unicode', 'pässwörd – 密码 🔑', 'pässwörd – 密码 🔑'],
  ['arrows and other keys with escape sequences add nothing', 'abc', 'a\x1b[Ab\x1bOP\x1b[3~\x1b[1;5C\x1b[[Ac'],
  ['a pasted text in brackets', 'pasted text', '\x1b[200~pasted text\x1b[201~'],
  ['Alt and a letter is the letter', 'ab', 'a\x1bb'],
  ['other control characters add nothing', 'ab', 'a\x01\x1a\x00b'],
  ['a tab and spaces are part of the passphrase', ' a\tb ', ' a\tb '],
])
  test(`editing: ${what}`, { skip }, () => {
    const { status, terminal, restored } = answered(made({ passphrase }), `${keys}${ENTER}`)
    assert.deepEqual({ status, restored }, { status: 0, restored: true }, JSON.stringify(terminal))
  })

test('Ctrl+C at a question ends the program with 130, and restores the terminal', { skip }, () => {
  const name = made({ passphrase: 'x' })
  const { terminal, status, restored } = answered(name, `secret${CTRL_C}`)
  assert.deepEqual({ status, restored }, { status: 130, restored: true })
  assert.equal(terminal, `Passphrase of ${name}: \r\nstrongroom: cancelled\r\n`)
})

test('an empty passphrase, and Ctrl+D, are refused', { skip }, () => {
  const name = made({ passphrase: 'x' })
  const empty = answered(name, ENTER)
  assert.deepEqual([empty.status, empty.restored], [1, true])
  assert.match(empty.terminal, /an empty passphrase is refused \(STRONGROOM_KEY_EMPTY\)/)
  const end = answered(name, '\x04')
  assert.deepEqual([end.status, end.restored], [1, true])
  assert.match(end.terminal, /the terminal ended the input before an answer/)
})

test('a wrong passphrase ends the program with 3', { skip }, () => {
  const { terminal, status } = answered(made({ passphrase: 'x', format: 'strongroom' }), `y${ENTER}`)
  assert.equal(status, 3)
  assert.match(terminal, /the key is wrong: .* \(STRONGROOM_WRONG_KEY\)/)
})

test('a new passphrase is asked twice, until the two are equal', { skip }, () => {
  const name = made()
  const [first, again] = [`New passphrase of ${name}: `, 'The new passphrase again: ']
  const { terminal, status, restored } = inTerminal(
    ['encrypt', name],
    [
      [first, `one${ENTER}`],
      [again, `two${ENTER}`],
      ['The passphrases differ. Type the new passphrase twice.', ''],
      [first, ENTER],
      ['An empty passphrase is refused.', ''],
      [first, `three${ENTER}`],
      [again, `three${ENTER}`],
    ],
  )
  assert.deepEqual({ status, restored }, { status: 0, restored: true }, terminal)
  assert.ok(opens(name, 'three') && !opens(name, 'two'))
})

test('three attempts that differ leave the file unchanged', { skip }, () => {
  const name = made()
  const before = readFileSync(join(folder, name))
  const attempt = [
    [`New passphrase of ${name}: `, `one${ENTER}`],
    ['The new passphrase again: ', `two${ENTER}`],
  ]
  const { terminal, status } = inTerminal(['encrypt', name], [...attempt, ...attempt, ...attempt])
  assert.equal(status, 1)
  assert.match(terminal, /the passphrases differed 3 times; nothing was changed/)
  assert.deepEqual(readFileSync(join(folder, name)), before)
})

test('a text of several lines, pasted at once, answers several questions without echo', { skip }, () => {
  const name = made({ passphrase: 'old' })
  const line = 'old\rfresh\r\nfresh\n'
  const { terminal, status } = inTerminal(['migrate', name, '--new-passphrase'], [[`Passphrase of ${name}: `, line]])
  assert.equal(status, 0, terminal)
  assert.ok(!terminal.includes('fresh'), JSON.stringify(terminal))
  assert.ok(opens(name, 'fresh'))
})

test('the name of a file cannot control the terminal in a question', { skip }, () => {
  const name = made({ passphrase: 'x' })
  renameSync(join(folder, name), join(folder, 'evil\u001b[2J.db'))
  const question = 'Passphrase of evil\\x1b[2J.db: '
  const { terminal, status } = inTerminal(['check', 'evil\u001b[2J.db'], [[question, `x${ENTER}`]])
  assert.equal(status, 0)
  assert.ok(!terminal.includes('\u001b[2J'), JSON.stringify(terminal))
})

test('the progress is a bar on the terminal, which the result replaces', { skip }, () => {
  const name = made({ passphrase: 'x' })
  writeFileSync(join(folder, 'x'), 'x')
  const run = (...options) => inTerminal(['decrypt', name, '--passphrase-file', 'x', ...options], []).terminal
  const shown = run()
  assert.match(shown, new RegExp(`\rDecrypting ${name}  \\[#{30}\\] 100 %\x1b\\[K`))
  // The line is erased before the result.
  assert.match(shown, new RegExp(`\r\x1b\\[K${name} is not encrypted any more: [^\r]*\r\n$`))
})

test('a message is broken between words at the width of the terminal', { skip }, () => {
  const line = `stty columns 30; "${process.execPath}" "${program}" check missing.db`
  const { terminal: shown } = terminal(['bash', '-c', line], [])
  assert.equal(
    shown,
    'strongroom: cannot open\r\n"missing.db": the file does\r\nnot exist; check the spelling\r\n(SQLITE_CANTOPEN)\r\n',
  )
})

for (const options of [['--quiet'], ['--json']])
  test(`no progress with ${options}`, { skip }, () => {
    const name = made({ passphrase: 'x' })
    writeFileSync(join(folder, 'x'), 'x')
    const { terminal, status } = inTerminal(['decrypt', name, '--passphrase-file', 'x', ...options], [])
    assert.equal(status, 0)
    assert.ok(!terminal.includes('%'), terminal)
  })

/** Runs a command that waits for a lock which this process holds, and types keys. */
function interrupted(name, args, [keys, options] = [CTRL_C]) {
  const db = new Database(join(folder, name), { passphrase: 'x' })
  writeFileSync(join(folder, 'x'), 'x')
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  const before = readdirSync(folder)
  try {
    const run = inTerminal(
      [...args, '--passphrase-file', 'x', '--timeout', '3600'],
      [['waits for the file', keys, options]],
    )
    assert.deepEqual(readdirSync(folder), before)
    return run
  } finally {
    db.exec('ROLLBACK')
    db.close()
  }
}

for (const [command, ...options] of [['decrypt'], ['migrate', '--format', 'strongroom']])
  test(`Ctrl+C cancels ${command}, and the file is unchanged`, { skip }, () => {
    const name = made({ passphrase: 'x' })
    const before = readFileSync(join(folder, name))
    const { terminal, status, restored } = interrupted(name, [command, name, ...options])
    assert.deepEqual({ status, restored }, { status: 130, restored: true }, terminal)
    assert.match(terminal, new RegExp(`strongroom: cancelled; "${name}" is unchanged\r\n$`))
    assert.deepEqual(readFileSync(join(folder, name)), before)
    assert.ok(opens(name, 'x'))
  })

for (const [signal, exit] of Object.entries({ SIGTERM: 143, SIGHUP: 129 })) {
  test(`${signal} cancels as Ctrl+C does, with ${exit}`, { skip }, () => {
    const name = made({ passphrase: 'x' })
    const { terminal, status } = interrupted(name, ['decrypt', name], ['', { signal }])
    assert.equal(status, exit, terminal)
    assert.match(terminal, new RegExp(`strongroom: cancelled; "${name}" is unchanged\r\n$`))
  })

  // The signal once ended the process at once, and the shell got a terminal without echo.
  test(`${signal} at a question ends the program with ${exit}, and restores the terminal`, { skip }, () => {
    const name = made({ passphrase: 'x' })
    const { terminal, status, restored } = answered(name, 'secret', { signal })
    assert.deepEqual({ status, restored }, { status: exit, restored: true }, terminal)
    assert.equal(terminal, `Passphrase of ${name}: \r\nstrongroom: cancelled\r\n`)
  })
}

test('Ctrl+C cancels a running conversion and a running backup', { skip }, () => {
  const name = made({ passphrase: 'x' })
  writeFileSync(join(folder, 'x'), 'x')
  // The work takes longer than the reaction to Ctrl+C: at least 8 MB of pages follow the first percent.
  const db = new Database(join(folder, name), { passphrase: 'x' })
  db.exec(
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT randomblob(3000) FROM n',
  )
  db.close()
  const before = readFileSync(join(folder, name))
  const files = readdirSync(folder)
  const key = ['--passphrase-file', 'x']
  for (const [args, message] of [
    [['migrate', name, '--format', 'strongroom'], `cancelled; "${name}" is unchanged`],
    [['decrypt', name], `cancelled; "${name}" is unchanged`],
    [['backup', name, 'target.db'], 'cancelled; "target.db" was not written'],
    [['backup', name, 'target.db', '--plain'], 'cancelled; "target.db" was not written'],
  ]) {
    const { terminal, status } = inTerminal([...args, ...key], [[' %', CTRL_C, { stop: true }]])
    assert.equal(status, 130, terminal)
    assert.ok(terminal.endsWith(`strongroom: ${message}\r\n`), JSON.stringify(terminal))
    assert.ok(!existsSync(join(folder, 'target.db')))
    assert.ok(before.equals(readFileSync(join(folder, name))))
    assert.deepEqual(readdirSync(folder), files)
  }
})
