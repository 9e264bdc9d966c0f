/** `true` if two types are identical, and not only assignable. */
export type Exact<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the type is `true`. */
export function equal<T extends true>(_same: T): void {}
