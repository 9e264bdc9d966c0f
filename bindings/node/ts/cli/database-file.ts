import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { SqliteError } from '../api/errors'
import { counted } from './output'

/** The kind of a file. A file in SQLCipher's format looks like random bytes, as other files may do. */
export type FileKind = 'plain' | 'strongroom' | 'unknown'

const PLAIN = Buffer.from('SQLite format 3\0')
/** The first bytes of each copy of a header, as docs/format.md specifies. */
const STRONGROOM = Buffer.from('\x89Strongroom\r\n\x1a\n\0', 'latin1')
/** The length of a copy of a header. */
const COPY = 4096
/** The offsets of the two copies of a header. */
const COPIES = [0, COPY]
/** The number of bytes before the first page of a file in the Strongroom format. */
const HEADERS = 2 * COPY

/** The places of the slots in a copy of a header, as docs/format.md specifies them. */
const SLOTS = { offset: 64, bytes: 256, count: 8, id: { start: 16, end: 24 } }

/**
 * Returns the kind of a database file, before the program asks for a key.
 *
 * @throws {SqliteError} `SQLITE_CANTOPEN` if the path does not name a file that can be read; `STRONGROOM_EMPTY_FILE`
 */
export function kindOf(path: string): FileKind {
  if (path.trim() !== path)
    throw cannotOpen(path, 'the name begins or ends with white space, which strongroom would remove; rename the file')
  if (path === ':memory:') throw cannotOpen(path, 'this name means a database in memory; name a file')
  const file = opened(path)
  try {
    const bytes = Buffer.alloc(PLAIN.length)
    for (const offset of COPIES) {
      const read = readSync(file, bytes, 0, bytes.length, offset)
      // SQLite takes a file of one byte for an empty one.
      if (offset === 0 && read <= 1) throw emptyFile(path)
      if (offset === 0 && bytes.equals(PLAIN)) return 'plain'
      if (read === bytes.length && bytes.equals(STRONGROOM)) {
        // No key can open the part of a header.
        if (fstatSync(file).size < COPY) throw emptyFile(path)
        return 'strongroom'
      }
    }
    return 'unknown'
  } finally {
    closeSync(file)
  }
}

/**
 * Returns the ids of a file's key slots, which anyone can read. An altered header can have other ids: an id is only a
 * name here.
 */
export function slotIds(path: string): string[] {
  const file = opened(path)
  try {
    const ids = new Set<string>()
    const bytes = Buffer.alloc(SLOTS.count * SLOTS.bytes)
    for (const offset of COPIES) {
      const read = readSync(file, bytes, 0, bytes.length, offset + SLOTS.offset)
      for (let at = 0; at + SLOTS.bytes <= read; at += SLOTS.bytes)
        if (bytes[at] === 1) ids.add(bytes.toString('hex', at + SLOTS.id.start, at + SLOTS.id.end))
    }
    return [...ids]
  } finally {
    closeSync(file)
  }
}

/** Returns whether a file has no room for a page: the headers of the Strongroom format have two copies. */
export function isHeaderOnly(path: string): boolean {
  return kindOf(path) === 'strongroom' && statSync(path).size <= HEADERS
}

/** Returns the error of a file without a page, such as a file that was cut off. */
export function emptyFile(path: string): SqliteError {
  const size = counted(statSync(path).size, 'byte')
  return new SqliteError(`"${path}" holds no database: the file has ${size} and no page`, 'STRONGROOM_EMPTY_FILE')
}

function opened(path: string): number {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) throw cannotOpen(path, 'this is a folder; name the database file in the folder')
    if (!stat.isFile()) throw cannotOpen(path, 'this is not a regular file')
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof SqliteError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw cannotOpen(path, 'the file does not exist; check the spelling', error)
    if (code === 'EACCES' || code === 'EPERM')
      throw cannotOpen(path, 'this user may not read the file; ask its owner', error)
    throw cannotOpen(path, (error as Error).message, error)
  }
}

function cannotOpen(path: string, reason: string, cause?: unknown): SqliteError {
  const options = cause instanceof Error ? { cause } : undefined
  return new SqliteError(`cannot open "${path}": ${reason}`, 'SQLITE_CANTOPEN', options)
}
