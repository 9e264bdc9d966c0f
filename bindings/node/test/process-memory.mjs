import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const STEP = 1 << 22

/**
 * Runs a program that stops after each step, and searches its memory at each step. The program writes the step's name
 * and a line feed, and then reads a byte.
 *
 * @param {string[]} args - the program and its arguments
 * @param {Record<string, Buffer> | (() => Record<string, Buffer>)} needles - a function is called at each step
 * @returns the occurrences at each step, or the reason why this process cannot read the memory of its children
 */
export async function watch(args, needles) {
  if (process.platform !== 'linux') return { skip: 'only Linux has /proc/<pid>/mem' }
  const child = spawn(process.execPath, ['--expose-gc', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const seen = {}
  let skip
  child.stdout.setEncoding('utf8')
  for await (const line of child.stdout) {
    try {
      seen[line.trim()] = occurrences(child.pid, typeof needles === 'function' ? needles() : needles)
    } catch (error) {
      if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error
      skip = `the system forbids reading the memory of another process: ${error.code}`
    }
    child.stdin.write('\n')
  }
  assert.deepEqual(await exit, [0, null])
  return { skip, seen }
}

/**
 * Returns the secret and its quarters as bytes and as hexadecimal digits: reused memory may hold parts of the secret.
 */
export function needlesOf(secret) {
  const hex = Buffer.from(secret.toString('hex'))
  const needles = { 'all bytes': secret, 'all digits': hex }
  for (let start = 0; start < 32; start += 8) {
    needles[`bytes from ${start}`] = secret.subarray(start, start + 8)
    needles[`digits from ${2 * start}`] = hex.subarray(2 * start, 2 * start + 16)
  }
  return needles
}

/**
 * Searches the writable memory of another process: its heaps, its stacks and the data of its libraries.
 *
 * @param {number} pid
 * @param {Record<string, Buffer>} needles
 * @returns {string[]} the name and the mapping of each occurrence
 */
function occurrences(pid, needles) {
  const longest = Math.max(...Object.values(needles).map((needle) => needle.length))
  const file = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return writableMappings(pid).flatMap((mapping) => {
      const found = []
      // Parts overlap, so each needle is whole in at least one part. A needle in two parts has the same address.
      for (let start = mapping.start; start < mapping.end; start += STEP) {
        const part = read(file, start, Math.min(STEP + longest, mapping.end - start))
        for (const [name, needle] of Object.entries(needles)) {
          for (let at = part.indexOf(needle); at !== -1; at = part.indexOf(needle, at + 1))
            found.push(`${name} at ${(start + at).toString(16)} in ${mapping.name}`)
        }
      }
      return [...new Set(found)]
    })
  } finally {
    closeSync(file)
  }
}

function writableMappings(pid) {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, start, end, name] = /^(\w+)-(\w+) rw\S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? []
      if (start === undefined) return []
      return {
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        name: name || 'a mapping without name',
      }
    })
}

/** Returns the bytes, or an empty buffer if the kernel refuses to read them, as it does for pages of devices. */
function read(file, position, length) {
  const buffer = Buffer.allocUnsafeSlow(length)
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, length, position))
  } catch (error) {
    if (error.code === 'EIO' || error.code === 'EFAULT') return buffer.subarray(0, 0)
    throw error
  }
}
