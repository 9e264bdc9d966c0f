// Approves a staged release: checks each staged version against the folder, then publishes the versions with
// `npm stage approve`, which asks for the second factor.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, npm, npmError } from './npm.mjs'
import { PUBLISHED, state } from './registry.mjs'
import { digest, MAIN, Refused, refuse } from './sealed.mjs'

const AGAIN = 'then run the command again; it skips packages that are published'

/** Approves packages in the given order. Approves nothing if one of them is not staged with this content and this tag. */
export function approve(all, packages, tag) {
  const staged = packages.map((sealed) => ({ ...sealed, items: stagedItems(sealed) }))
  refuse(
    staged.flatMap((sealed) => problems(sealed, tag)),
    'nothing was approved',
    `do what each line says; ${AGAIN}`,
  )
  staged.forEach(({ id, name, items: [item] }, done) => {
    if (name === MAIN) waitUntilPublished(all.filter((sealed) => sealed.name !== MAIN))
    console.log(`approving ${id}: ${item.id}`)
    const { succeeded } = npm(['stage', 'approve', item.id], { input: 'inherit', output: 'inherit', errors: 'inherit' })
    if (succeeded) return
    const left = staged.slice(done).map((sealed) => sealed.id)
    throw new Refused(
      `npm stage approve failed for ${id}; its output is above. Approved ${done} of ${staged.length}; still staged: ` +
        `${left.join(', ')}\nremove the cause; ${AGAIN}`,
    )
  })
}

/**
 * Waits until the registry shows every platform's package. npm can take minutes to show an approved version, and an
 * installed main package without its platform's package does not load.
 */
export function waitUntilPublished(platforms, { attempts = 60, pause = 5000 } = {}) {
  for (let attempt = 1; ; attempt++) {
    const hidden = platforms.filter((sealed) => state(sealed).kind !== PUBLISHED).map(({ id }) => id)
    if (hidden.length === 0) return
    if (attempt === attempts) {
      throw new Refused(
        `${MAIN} was not approved: npm does not show these approved packages yet: ${hidden.join(', ')}\n` +
          'run the command again when npm view shows them. If npm never does, reject the staged ' +
          `${MAIN} (npm stage list ${MAIN}), and raise the version: https://github.com/npm/cli/issues/9889`,
      )
    }
    if (attempt === 1) console.log(`waiting until npm shows ${hidden.join(', ')}`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause)
  }
}

/** Returns the staged items of a package's version. */
function stagedItems({ name, version }) {
  const ran = npm(['stage', 'list', name, '--json'])
  const listed = json(ran.output)
  if (ran.succeeded && Array.isArray(listed)) {
    return listed.filter((item) => item.packageName === name && item.version === version)
  }
  throw new Refused(
    `nothing was approved: npm stage list ${name} failed: ${npmError(ran).summary}\n` +
      'log in with an account that may publish the package (npm login), and run the command again',
  )
}

/** Returns why a package cannot be approved. Each line says what to do. */
function problems(sealed, tag) {
  const { id, name, items } = sealed
  if (items.length === 0) {
    return [
      `${id} is neither published nor staged: run the job stage again, which stages it. If the job says that it is ` +
        'staged already, or you have just approved it, wait until npm shows it. If this account (npm whoami) may not ' +
        `publish ${name}, use another`,
    ]
  }
  if (items.length > 1) {
    const found = items.map(
      (item) => `${item.id} (by ${item.actor}, ${contentProblem(sealed, item) ?? 'same content'})`,
    )
    return [`${id} is staged ${items.length} times: ${found.join(', ')}: run npm stage reject ID for all but one`]
  }
  const [item] = items
  // A version is `validating`, then `staged`: stage.yaml in https://github.com/npm/api-documentation.
  if (item.status === 'validating') return [`${id} (${item.id}) is still being validated by npm: wait a few minutes`]
  const reject = `run npm stage reject ${item.id}`
  const content = contentProblem(sealed, item)
  return [
    item.tag !== tag &&
      `${id} is staged with the tag ${item.tag}, but now needs the tag ${tag}: ${reject}, and the job stage again`,
    content &&
      `${id} is staged by ${item.actor} with different content: ${content}. Check that the folder comes from the run ` +
        `that staged the package. If it does, find out who staged the package, ${reject}, and the job stage again`,
  ].filter(Boolean)
}

/**
 * Returns how the staged content differs from the package, or undefined if it doesn't. The check downloads the tarball
 * that npm would publish: an item of `npm stage list` has only a SHA-1.
 */
function contentProblem({ integrity }, { id }) {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-staged-'))
  try {
    const ran = npm(['stage', 'download', id, '--json'], { cwd: folder })
    const [file] = readdirSync(folder)
    if (!ran.succeeded || file === undefined) {
      throw new Refused(
        `nothing was approved: npm stage download ${id} failed: ${npmError(ran).summary}\nrun the command again`,
      )
    }
    const actual = digest(readFileSync(join(folder, file)))
    return actual === integrity ? undefined : `npm has ${actual}, and the folder has ${integrity}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
