/** The library's calls in its messages, and the commands of the program that do the same. */
const COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/Database\.(encrypt|decrypt|migrate)\(\)/g, '`strongroom $1`'],
  [/db\.(check|backup)\(\)/g, '`strongroom $1`'],
  [/db\.keys\.list\(\)/g, '`strongroom keys FILE`'],
  [/db\.keys\.(\w+)\(\)/g, '`strongroom keys FILE $1`'],
  [/db\.rekey\(\)/g, '`strongroom keys FILE change` or `strongroom migrate`'],
  [/secrets\[\d+\]/g, 'the secret of another slot'],
  [/, whose option `from` takes the current key/g, ''],
]

/** The commands of the program in a finding, which concern the file itself: no finding needs another key or format. */
const REPAIRS: readonly (readonly [RegExp, string])[] = [
  [
    /(copies of the header is damaged).*/g,
    '$1: a change of a key slot writes both, such as `strongroom keys FILE change ID --label TEXT`',
  ],
  [/db\.rekey\(\)/g, '`strongroom keys FILE change`'],
]

/** Names the commands of the program in a finding of a check. */
export function repairs(finding: string): string {
  return inCommands(REPAIRS.reduce((text, [call, command]) => text.replaceAll(call, command), finding))
}

/** Names the commands of the program in a message of the library, which names the library's calls. */
export function inCommands(message: string): string {
  return COMMANDS.reduce((text, [call, command]) => text.replaceAll(call, command), message)
}

const BACKUP = 'Copy the file for an investigation, and restore a backup.'
const WAIT = 'End the program that uses the file, or wait longer with --timeout SECONDS.'

const SECRETS =
  'Give the secrets of these slots with --also-passphrase, --also-recovery or --also-key-file FILE, or drop the slots ' +
  'with --drop-others.'

const OTHER_SLOTS =
  'Drop the slots with --drop-others. To rewrite the file and keep them, use `strongroom keys FILE rotate`.'

/** The advice for codes whose messages do not say enough. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^STRONGROOM_NOT_ENCRYPTED$/, 'A plain file needs no key; `strongroom encrypt FILE` encrypts it.'],
  [/^STRONGROOM_ENCRYPTED$/, '`strongroom migrate FILE` changes the key or the format of an encrypted file.'],
  [
    /^STRONGROOM_EMPTY_FILE$/,
    'Is this the right file? If so, something cut it off, or nothing was written yet: restore a backup.',
  ],
  [/^STRONGROOM_(IN_USE|BUSY)$|^SQLITE_(BUSY|LOCKED)/, WAIT],
  [/^STRONGROOM_(DAMAGED_\w+|TRUNCATED)$|^SQLITE_CORRUPT/, BACKUP],
  [/^STRONGROOM_LAST_SLOT$/, 'Add another slot first, or use `strongroom keys FILE change ID`.'],
  [/^STRONGROOM_SLOT_SECRETS$/, SECRETS],
  [/^STRONGROOM_OTHER_SLOTS$/, OTHER_SLOTS],
  [/^STRONGROOM_UNSUPPORTED_FORMAT$/, 'Update strongroom.'],
  [/^SQLITE_FULL$/, 'Free space on the disk, and try again. No file was changed.'],
  [/^SQLITE_NOTADB$/, 'Check the name of the file, and the key.'],
]

/** The advice for the key of a file in SQLCipher's format, which does not record its settings. */
const PARAMETERS =
  'Check the passphrase or the key file. A file from SQLCipher 1 to 3 needs --cipher-compatibility, such as ' +
  '--cipher-compatibility 3.'

/** Returns what to do about an error, or undefined if the message says enough. */
export function advice(code: string | undefined, message: string): string | undefined {
  if (code === 'STRONGROOM_WRONG_KEY') return message.includes('cipher parameters') ? PARAMETERS : undefined
  return ADVICE.find(([pattern]) => pattern.test(code ?? ''))?.[1]
}
