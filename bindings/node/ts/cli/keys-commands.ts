import type { Command, OptionGroup } from './command'
import { KEY, NEW_KEY } from './secrets'

const keys = (): typeof import('./keys') => require('./keys')

/** The paragraphs of the help about all commands for keys. */
export const KEYS_DESCRIPTION: readonly string[] = [
  'A file in the Strongroom format has up to 8 key slots. Each slot opens the file with a passphrase, a raw key or a ' +
    'recovery code of its own, and has an ID and perhaps a label. Without a command, `keys FILE` lists the slots.',
  'A change takes no longer for a larger file, and other programs can go on using the file. Only `rotate` rewrites the ' +
    'file.',
]

const NEW: OptionGroup = {
  title: 'The secret of the slot (without one of these, strongroom asks for a new passphrase)',
  options: [
    ...NEW_KEY.options,
    { name: 'new-recovery', help: 'make a recovery code, and print it once on standard output' },
  ],
}

const LABEL = { name: 'label', value: 'TEXT', help: 'a label, which the file stores encrypted: at most 94 bytes' }

/** The commands for the keys of a file. */
export const KEYS_COMMANDS: readonly Command[] = [
  {
    words: ['keys', 'list'],
    positionals: ['FILE'],
    summary: 'list the key slots',
    description: ['Lists the key slots. The column OPENED IT marks the slot of the given secret.'],
    groups: [KEY],
    examples: [{ line: 'strongroom keys notes.db', effect: 'Asks for the passphrase, and lists the slots' }],
    run: (given, output) => keys().list(given, output),
  },
  {
    words: ['keys', 'add'],
    positionals: ['FILE'],
    summary: 'add a passphrase, a raw key or a recovery code',
    description: [
      'Adds a key slot. The other slots stay. A recovery code has 32 letters and digits in groups of 4, for a person to ' +
        'write down. The code is the only text on standard output. If the code cannot be printed, the slot is removed again.',
    ],
    groups: [KEY, NEW, { title: 'The label', options: [LABEL] }],
    examples: [
      { line: 'strongroom keys notes.db add --new-recovery --label paper', effect: 'Prints a recovery code' },
      { line: 'strongroom keys notes.db add --label "night shift"', effect: 'Asks for a new passphrase twice' },
      {
        line: 'strongroom keys notes.db add --recovery --new-key-file new.key',
        effect: 'Opens the file with a recovery code, and adds a raw key',
      },
    ],
    run: (given, output) => keys().add(given, output),
  },
  {
    words: ['keys', 'remove'],
    positionals: ['FILE', 'ID'],
    summary: 'remove a key slot',
    description: [
      'Removes a key slot: its secret no longer opens the file. Older copies of the file keep the slot. The first ' +
        'digits of an ID suffice, at least 4.',
      'Whoever had the secret may have kept the data key or an older copy of the header. `strongroom keys FILE rotate` ' +
        'ends this.',
    ],
    groups: [KEY],
    examples: [{ line: 'strongroom keys notes.db remove 5f3a', effect: 'Removes the slot whose ID begins with 5f3a' }],
    run: (given, output) => keys().remove(given, output),
  },
  {
    words: ['keys', 'change'],
    positionals: ['FILE', 'ID'],
    summary: 'change the secret or the label of a key slot',
    description: [
      'Changes the secret or the label of a key slot, which keeps its ID. The first digits of an ID suffice, at least ' +
        '4. With --label or --no-label alone, the secret stays.',
      'A new recovery code is printed before the change: after any exit code but 0, the printed code opens nothing.',
    ],
    groups: [KEY, NEW, { title: 'The label', options: [LABEL, { name: 'no-label', help: 'remove the label' }] }],
    examples: [
      { line: 'strongroom keys notes.db change 5f3a', effect: 'Asks for the passphrase and for a new one' },
      { line: 'strongroom keys notes.db change 5f3a --label laptop', effect: 'Changes only the label' },
      {
        line: 'strongroom keys notes.db change 5f3a --recovery --new-recovery',
        effect: 'Replaces a recovery code that was used',
      },
    ],
    run: (given, output) => keys().change(given, output),
  },
  {
    words: ['keys', 'rotate'],
    positionals: ['FILE'],
    summary: 'rewrite the file with a new data key',
    description: [
      'Encrypts the whole file with a new data key. The slot of the given secret stays. A slot of another secret stays ' +
        'only if its secret is given as well; --drop-others drops the others. After this, an old secret, an old data key ' +
        'and an older copy of the header open only older copies of the file. Stop every program that uses the file first.',
    ],
    groups: [
      KEY,
      {
        title: 'The secrets of other slots, which then stay (each option can be repeated)',
        options: [
          { name: 'also-passphrase', help: 'ask for a passphrase' },
          { name: 'also-recovery', help: 'ask for a recovery code' },
          { name: 'also-passphrase-file', value: 'FILE', multiple: true, help: 'read a passphrase from FILE' },
          { name: 'also-key-file', value: 'FILE', multiple: true, help: 'read a raw key from FILE' },
          { name: 'also-recovery-file', value: 'FILE', multiple: true, help: 'read a recovery code from FILE' },
          { name: 'drop-others', help: 'drop the slots whose secrets are not given' },
        ],
      },
      {
        title: 'The original',
        options: [{ name: 'keep', value: 'PATH', help: 'keep the original file as PATH, which must not exist' }],
      },
    ],
    examples: [
      { line: 'strongroom keys notes.db rotate --also-recovery', effect: 'Keeps the slot of a recovery code' },
      { line: 'strongroom keys notes.db rotate --drop-others', effect: 'Keeps only the slot of the passphrase' },
    ],
    run: (given, output) => keys().rotate(given, output),
  },
]
