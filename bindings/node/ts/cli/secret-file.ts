import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Arguments } from './arguments'
import { secretBuffer } from './secret-buffer'

/** The most bytes of a file with a secret. A larger file is a mistake, such as the path of the database. */
const LIMIT = 64 * 1024
const KEY_BYTES = 32
const CODE = 'it must have the recovery code, 32 letters and digits'

/** An error of a file with a secret. */
class SecretFileError extends Error {
  readonly code = 'STRONGROOM_SECRET_FILE'
}

/**
 * Reads a passphrase from the file that an option names. Removes one line break at the end, which editors and `echo`
 * add.
 */
export async function passphraseFile(path: string, option: string, given: Arguments): Promise<Buffer> {
  const bytes = await content(path, option, given)
  refuseUtf16(bytes, path)
  const trimmed = withoutLineBreak(bytes)
  if (trimmed.length === 0) throw problem(path, 'is empty; an empty passphrase is refused')
  return trimmed
}

/** Reads a recovery code from the file that an option names. The library ignores spaces and line breaks in the code. */
export async function recoveryFile(path: string, option: string, given: Arguments): Promise<Buffer> {
  const bytes = await content(path, option, given)
  if (bytes.length === 0) throw problem(path, `is empty; ${CODE}`)
  refuseUtf16(bytes, path)
  if (isUtf8(bytes)) return bytes
  bytes.fill(0)
  throw problem(path, `is not text in UTF-8; ${CODE}`)
}

/** Reads a raw key from the file that an option names: 32 bytes, or 64 hexadecimal digits and perhaps a line break. */
export async function keyFile(path: string, option: string, given: Arguments): Promise<Buffer> {
  const bytes = await content(path, option, given)
  if (bytes.length === KEY_BYTES) return bytes
  refuseUtf16(bytes, path)
  const digits = withoutLineBreak(bytes)
  const key = digits.length === 2 * KEY_BYTES ? decodedHex(digits) : undefined
  const { length } = bytes
  digits.fill(0)
  if (key === undefined) throw problem(path, `has ${length} bytes; a key is 32 bytes, or 64 hexadecimal digits`)
  return key
}

/**
 * Refuses text in UTF-16, which some editors and shells on Windows write: its bytes are not those of the secret.
 *
 * A secret of random bytes is not such text: each second byte of such text is 0, or it begins with a byte order mark and
 * has a byte 0.
 */
function refuseUtf16(bytes: Buffer, path: string): void {
  const even = bytes.length % 2 === 0 && bytes.length >= 4
  const marked = [0xfffe, 0xfeff].includes(even ? bytes.readUInt16BE() : 0) && bytes.includes(0)
  const [first, second] = [0, 1].map((start) => bytes.every((byte, index) => index % 2 !== start || byte === 0))
  if (!even || !(marked || first || second)) return
  bytes.fill(0)
  throw problem(path, 'is text in UTF-16; save the file as UTF-8 without a byte order mark')
}

/** Returns the value of hexadecimal digits, without a string of them, which nothing could overwrite. */
function decodedHex(digits: Buffer): Buffer | undefined {
  const bytes = secretBuffer(digits.length / 2)
  for (const [index, code] of digits.entries()) {
    const digit = Number.parseInt(String.fromCharCode(code), 16)
    if (Number.isNaN(digit)) {
      bytes.fill(0)
      return undefined
    }
    const at = index >> 1
    bytes[at] = ((bytes[at] ?? 0) << 4) | digit
  }
  return bytes
}

/** Returns a copy without one line break at the end, and overwrites the original. */
function withoutLineBreak(bytes: Buffer): Buffer {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1
  const copy = secretBuffer(end)
  bytes.copy(copy, 0, 0, end)
  bytes.fill(0)
  return copy
}

/** Returns the bytes of a file, or of standard input for `-`. */
async function content(path: string, option: string, given: Arguments): Promise<Buffer> {
  const bytes = secretBuffer(LIMIT + 1)
  try {
    const length = path === '-' ? await readInput(bytes, option, given) : readInto(bytes, path)
    if (length > LIMIT) throw problem(path, `has more than ${LIMIT} bytes; name the file with the secret`)
    const copy = secretBuffer(length)
    bytes.copy(copy, 0, 0, length)
    return copy
  } finally {
    bytes.fill(0)
  }
}

/** Reads until the end, since the file may be a pipe: `--passphrase-file <(pass show notes)`. */
function readInto(bytes: Buffer, path: string): number {
  try {
    const file = openSync(path, 'r')
    try {
      let length = 0
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(file, bytes, length, bytes.length - length, null)
      return length
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
      ENOENT: 'does not exist',
      EISDIR: 'is a folder',
      EACCES: 'cannot be read by this user',
    }
    throw problem(path, reasons[code ?? ''] ?? `cannot be read: ${message}`, error as Error)
  }
}

async function readInput(bytes: Buffer, option: string, given: Arguments): Promise<number> {
  if (process.stdin.isTTY)
    throw given.usage(
      `--${option} -: standard input is a terminal, which would show the secret; leave the option out to be asked`,
    )
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.copy(bytes, length)
    chunk.fill(0)
    if (length === bytes.length) break
  }
  return length
}

function problem(path: string, reason: string, cause?: Error): SecretFileError {
  const name = path === '-' ? 'standard input' : `the file "${path}"`
  return new SecretFileError(`${name} ${reason}`, cause && { cause })
}
