import { types } from 'node:util'

/** Returns the getter of a built-in property as a function. A program may have overridden the property on an object. */
function getter<T>(prototype: object, name: string): (object: object) => T {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) as { get: () => T }
  return Function.prototype.call.bind(get) as (object: object) => T
}

const TypedArray: object = Object.getPrototypeOf(Uint8Array.prototype)
const ofArray = {
  buffer: getter<ArrayBufferLike>(TypedArray, 'buffer'),
  byteOffset: getter<number>(TypedArray, 'byteOffset'),
}
const ofView = {
  buffer: getter<ArrayBufferLike>(DataView.prototype, 'buffer'),
  byteOffset: getter<number>(DataView.prototype, 'byteOffset'),
  byteLength: getter<number>(DataView.prototype, 'byteLength'),
}

/** Returns the length of a typed array in bytes. */
export const byteLength: (array: object) => number = getter(TypedArray, 'byteLength')

/** Copies a `Uint8Array` into another `Uint8Array` at an offset. */
export const copyInto: (target: Uint8Array, source: Uint8Array, offset: number) => void = Function.prototype.call.bind(
  Uint8Array.prototype.set,
)

/**
 * Allocates bytes outside V8's heap. V8 stores the bytes of a small typed array inside its heap, and leaves a copy of
 * the bytes there when an addon requests their address or when the garbage collector moves the array.
 */
export function outsideTheHeap(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length))
}

/** Returns the bytes of a view. Throws for a DataView on a detached or shrunk buffer. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  if (types.isUint8Array(view)) return view
  return types.isTypedArray(view)
    ? new Uint8Array(ofArray.buffer(view), ofArray.byteOffset(view), byteLength(view))
    : new Uint8Array(ofView.buffer(view), ofView.byteOffset(view), ofView.byteLength(view))
}

/** Returns whether another thread can write to the memory of an array while the addon reads it. */
export function isShared(array: Uint8Array): boolean {
  return types.isSharedArrayBuffer(ofArray.buffer(array))
}
