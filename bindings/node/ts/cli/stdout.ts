import { fstatSync, statSync, writeSync } from 'node:fs'

/** The descriptor of standard output. */
const STDOUT = 1

/** An error of standard output. The work of the command may be done. */
export class OutputError extends Error {
  readonly code = 'STRONGROOM_OUTPUT'

  constructor(reason: string, options?: { cause?: unknown }) {
    super(`cannot write standard output: ${reason}`, options)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EPIPE: 'the program that reads it has ended',
  ENOSPC: 'the disk is full',
  EBADF: 'it is closed, or not open for writing',
}

/**
 * Writes a text to standard output, and waits until the operating system has all of it.
 *
 * @throws {OutputError}
 */
export async function print(text: string): Promise<void> {
  try {
    if (isFile()) writeWhole(Buffer.from(text))
    else await written(text)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new OutputError(REASONS[code] ?? message, { cause: error })
  }
}

/**
 * Checks that somebody can read standard output, for a text that is printed only once.
 *
 * @throws {OutputError} if standard output is the null device. Node opens the null device if the descriptor is closed.
 */
export function expectReader(): void {
  if (isNullDevice())
    throw new OutputError('it is closed, or is the null device, so nobody would see the recovery code')
}

function isNullDevice(): boolean {
  try {
    const stat = fstatSync(STDOUT)
    return stat.isCharacterDevice() && stat.rdev === statSync('/dev/null').rdev
  } catch {
    return false
  }
}

function isFile(): boolean {
  try {
    return fstatSync(STDOUT).isFile()
  } catch {
    return false
  }
}

/** Writes to a file. Node's own stream for files ignores that a full disk takes only a part of a text. */
function writeWhole(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
}

function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
