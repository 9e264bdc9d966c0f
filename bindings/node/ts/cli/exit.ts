/** The exit codes of the program, which the help documents. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  wrongKey: 3,
  damaged: 4,
  inUse: 5,
  interrupted: 130,
} as const

/** The meaning of each exit code, for the help. */
export const MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.done, 'done'],
  [EXIT.failed, 'failed; the message says why'],
  [EXIT.usage, 'the command line is not valid'],
  [EXIT.wrongKey, 'the key, the passphrase or the recovery code is wrong'],
  [EXIT.damaged, 'the file is damaged'],
  [EXIT.inUse, 'another program uses the file'],
  [EXIT.interrupted, 'cancelled with Ctrl+C'],
]

const CODES: readonly (readonly [RegExp, number])[] = [
  [/^STRONGROOM_USAGE$/, EXIT.usage],
  [/^STRONGROOM_(WRONG_KEY|RECOVERY_CODE)$/, EXIT.wrongKey],
  [/^(STRONGROOM_(DAMAGED_\w+|TRUNCATED)|SQLITE_CORRUPT\w*)$/, EXIT.damaged],
  [/^(STRONGROOM_(IN_USE|BUSY)|SQLITE_(BUSY|LOCKED)\w*)$/, EXIT.inUse],
  [/^STRONGROOM_CANCELLED$/, EXIT.interrupted],
]

/** Returns the exit code for the code of an error. */
export function exitCode(code: string | undefined): number {
  return CODES.find(([pattern]) => pattern.test(code ?? ''))?.[1] ?? EXIT.failed
}
