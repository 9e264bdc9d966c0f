import { cipherOptions } from './cipher'
import type { Command, OptionGroup } from './command'
import { KEY, NEW_KEY } from './secrets'

// A command's module loads the library, which the help does not need.
const checks = (): typeof import('./check') => require('./check')
const conversions = (): typeof import('./convert') => require('./convert')
const backups = (): typeof import('./backup') => require('./backup')

const CIPHER: OptionGroup = {
  title: 'The settings of a file from SQLCipher 1 to 3, or of a file with other settings',
  options: cipherOptions(''),
}

const KEEP: OptionGroup = {
  title: 'The original',
  options: [{ name: 'keep', value: 'PATH', help: 'keep the original file as PATH, which must not exist' }],
}

const OTHERS: OptionGroup = {
  title: 'The other key slots',
  options: [{ name: 'drop-others', help: 'drop all key slots but that of the given secret' }],
}

const FORMAT: OptionGroup = {
  title: 'The new format',
  options: [
    { name: 'format', value: 'FORMAT', help: 'sqlcipher (other programs can open the file) or strongroom (faster)' },
    ...cipherOptions('new-'),
  ],
}

const CONVERSION =
  'The command writes a new file beside the old one, compares both, and then replaces the old file. After an error, ' +
  'Ctrl+C or a crash, the file is unchanged. Stop every program that uses the file first. The old content stays in the ' +
  'free blocks of the disk until something overwrites the blocks.'

/** The commands for a file, without those for its keys. */
export const FILE_COMMANDS: readonly Command[] = [
  {
    words: ['check'],
    positionals: ['FILE'],
    summary: 'look for damage',
    description: [
      "Authenticates each page, runs SQLite's integrity check, and checks the foreign keys. Prints the findings. The " +
        'exit code is 4 if the file is damaged, and 1 if the file has no page, as after it was cut off. The command ' +
        'changes nothing, unless a crashed program has left an open transaction: SQLite then rolls the transaction ' +
        'back, as for every program that opens the file.',
    ],
    groups: [KEY, CIPHER],
    examples: [
      { line: 'strongroom check notes.db', effect: 'Asks for the passphrase, if the file is encrypted' },
      { line: 'strongroom check notes.db --key-file notes.key --json', effect: 'Prints the findings as JSON' },
      {
        line: 'strongroom check old.db --cipher-compatibility 3',
        effect: 'Checks a file that SQLCipher 3 wrote',
      },
    ],
    run: (given, output) => checks().check(given, output),
  },
  {
    words: ['encrypt'],
    positionals: ['FILE'],
    summary: 'encrypt a plain file',
    description: [`Encrypts a plain file. ${CONVERSION}`],
    groups: [NEW_KEY, FORMAT, KEEP],
    examples: [
      { line: 'strongroom encrypt notes.db', effect: 'Asks for the new passphrase twice' },
      {
        line: 'strongroom encrypt notes.db --new-key-file notes.key --format strongroom',
        effect: 'Encrypts with a raw key, which `openssl rand -out notes.key 32` makes',
      },
    ],
    run: (given, output) => conversions().encrypt(given, output),
  },
  {
    words: ['decrypt'],
    positionals: ['FILE'],
    summary: 'decrypt a file',
    description: [`Decrypts a file. ${CONVERSION}`],
    groups: [KEY, CIPHER, KEEP],
    examples: [
      { line: 'strongroom decrypt notes.db', effect: 'Asks for the passphrase' },
      { line: 'strongroom decrypt notes.db --keep notes.encrypted.db', effect: 'Keeps the encrypted file' },
    ],
    run: (given, output) => conversions().decrypt(given, output),
  },
  {
    words: ['migrate'],
    positionals: ['FILE'],
    summary: 'convert a file to another format, key or version of SQLCipher',
    description: [
      `Converts an encrypted file. Without a new key, the file keeps its key or passphrase. ${CONVERSION}`,
      'The converted file has one key slot at most. If the file has others, the command lists them and changes nothing, ' +
        'except with --drop-others. `strongroom keys FILE rotate` rewrites a file and keeps its slots.',
    ],
    groups: [KEY, CIPHER, NEW_KEY, FORMAT, KEEP, OTHERS],
    examples: [
      { line: 'strongroom migrate notes.db --format strongroom', effect: 'Keeps the passphrase' },
      {
        line: 'strongroom migrate old.db --cipher-compatibility 3',
        effect: "Converts a file of SQLCipher 3 to SQLCipher's present format",
      },
      {
        line: 'strongroom migrate notes.db --key-file old.key --new-passphrase',
        effect: 'Replaces a raw key by a passphrase',
      },
    ],
    run: (given, output) => conversions().migrate(given, output),
  },
  {
    words: ['backup'],
    positionals: ['FILE', 'TARGET'],
    summary: 'copy a file that may be in use',
    description: [
      'Copies a database to TARGET while other programs use it. The copy has the key and the format of the file, ' +
        'unless another key or format is given. TARGET appears once the copy is complete and on the disk. After an ' +
        'error or Ctrl+C, TARGET is unchanged.',
    ],
    groups: [
      {
        title: 'The copy',
        options: [
          { name: 'force', help: 'replace TARGET if it exists' },
          { name: 'plain', help: 'make a copy without encryption' },
        ],
      },
      KEY,
      CIPHER,
      { ...NEW_KEY, title: 'A key of its own for the copy' },
      { ...FORMAT, title: 'The format of the copy' },
    ],
    examples: [
      { line: 'strongroom backup notes.db backup.db', effect: 'Makes a copy with the same passphrase' },
      {
        line: 'strongroom backup notes.db backup.db --passphrase-file notes.txt --force --quiet',
        effect: 'Replaces the last backup, from a timer for instance',
      },
      {
        line: 'strongroom backup notes.db for-support.db --new-passphrase',
        effect: 'Makes a copy with a passphrase of its own',
      },
    ],
    run: (given, output) => backups().backup(given, output),
  },
]
