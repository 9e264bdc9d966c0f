/** Stores the stack of the caller of `method` in `holder.stack`. V8 formats the stack at its first use. */
export const captureCaller: (holder: object, method: unknown) => void =
  process.versions['bun'] !== undefined
    ? // JavaScriptCore removes the frame of a method that ends in a call, and would then find no frame of its caller.
      (holder) => Error.captureStackTrace(holder)
    : typeof Error.captureStackTrace === 'function'
      ? (Error.captureStackTrace as (holder: object, method: unknown) => void)
      : (holder) => {
          ;(holder as { stack?: string | undefined }).stack = new Error().stack
        }

/** Replaces the stack of an error that was made outside the caller's code with the caller's stack. */
export function located<E>(error: E, callerStack: string | undefined): E {
  if (!(error instanceof Error) || typeof callerStack !== 'string') return error
  Object.defineProperty(error, 'stack', {
    value: `${error.name}: ${error.message}${framesOf(callerStack)}`,
    writable: true,
    configurable: true,
  })
  return error
}

/** Returns the lines of a stack below its message. */
export function framesOf(stack: string): string {
  const start = stack.search(/\n\s+at /)
  return start === -1 ? '' : stack.slice(start)
}
