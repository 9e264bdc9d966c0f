import { outsideTheHeap } from '../api/bytes'

/** Allocates a buffer for a secret. Unlike those of `Buffer.alloc`, its bytes are never in V8's heap. */
export function secretBuffer(length: number): Buffer {
  return Buffer.from(outsideTheHeap(length).buffer)
}
