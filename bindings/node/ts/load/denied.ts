import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'

/** The error for an addon whose file or folder the user may not read. */
export class Denied extends Error {
  readonly path: string

  constructor(path: string, cause: Error) {
    super(`permission denied: ${path}`, { cause })
    this.path = path
  }
}

/** Returns the outermost folder on a file's path that the user may not enter, or the file itself. */
export function denied(file: string): string | undefined {
  if (!refused(file, constants.R_OK)) return undefined
  let outermost = file
  for (let folder = dirname(file); refused(folder, constants.X_OK); folder = dirname(folder)) outermost = folder
  return outermost
}

function refused(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return false
  } catch (error) {
    return (error as { code?: unknown }).code === 'EACCES'
  }
}
