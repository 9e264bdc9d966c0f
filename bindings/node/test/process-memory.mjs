import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const STEP = 1 << 22

/** Why this process cannot read the memory of its children, or false if it can. */
export function unreadable(pid) {
  if (process.platform !== 'linux') return 'only Linux has /proc/<pid>/mem'
  try {
    closeSync(openSync(`/proc/${pid}/mem`, 'r'))
    return false
  } catch (error) {
    return `the system forbids reading the memory of another process: ${error.code}`
  }
}

/**
 * Searches the writable memory of another process: its heaps, its stacks and the data of its libraries.
 *
 * @param {number} pid
 * @param {Record<string, Buffer>} needles
 * @returns {string[]} the name and the mapping of each occurrence
 */
export function occurrences(pid, needles) {
  const longest = Math.max(...Object.values(needles).map((needle) => needle.length))
  const file = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return writableMappings(pid).flatMap((mapping) => {
      const found = []
      // Parts overlap, so that no needle lies across the end of one. A needle in two parts has one address.
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

/** Returns what can be read: the kernel refuses pages of devices. */
function read(file, position, length) {
  const buffer = Buffer.allocUnsafeSlow(length)
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, length, position))
  } catch (error) {
    if (error.code === 'EIO' || error.code === 'EFAULT') return buffer.subarray(0, 0)
    throw error
  }
}
