import { pathArgument, wellFormed } from './arguments'
import { argumentType, argumentValue } from './errors'
import type { Session } from './session'

/** Checks the arguments of `loadExtension`, and loads the extension. */
export function loadExtension(session: Session, path: unknown, entryPoint: unknown): void {
  const library = pathArgument(path, 'the path of the extension')
  const entry = entryPoint ?? undefined
  if (entry !== undefined && typeof entry !== 'string') throw argumentType('Expected second argument to be a string')
  if (entry?.includes('\0')) throw argumentValue('the entry point holds a NUL character')
  if (entry !== undefined) wellFormed(entry, 'the entry point')
  session.idle()
  session.change(() => session.native.loadExtension(library, entry))
}
