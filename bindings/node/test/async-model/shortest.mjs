// Makes the list of a failed episode's steps shorter.

/**
 * Returns a short list of steps that still fails: removes parts as long as the rest fails. An episode whose outcome
 * depends on the threads' timing may fail in one run and pass in the next, so each candidate has several tries.
 *
 * @param indexes - the numbers of the steps
 * @param fails - runs the steps with these numbers: `(indexes) => Promise<boolean>`
 * @param attempts - the largest number of runs
 */
export async function shortest(indexes, fails, attempts = 120, tries = 3) {
  let [kept, left] = [indexes, attempts]
  const failsOnce = async (candidate) => {
    for (let at = 0; at < tries && left > 0; at++, left--) if (await fails(candidate)) return true
    return false
  }
  for (let size = kept.length >> 1; size > 0 && left > 0; ) {
    let isShorter = false
    for (let start = 0; start < kept.length && left > 0; ) {
      const candidate = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (await failsOnce(candidate)) {
        kept = candidate
        isShorter = true
      } else start += size
    }
    if (!isShorter || size > 1) size >>= 1
  }
  return kept
}
