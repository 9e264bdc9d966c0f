// Makes the draft of a GitHub release for a tag, or updates it: notes from CHANGELOG.md, and the files of a folder.
// Nobody but the maintainers sees a draft. A person publishes it when npm has the packages.
//
//   node draft.mjs v1.2.3 FOLDER
//
// The script can run again: it replaces the files of a draft, and refuses to touch a published release. gh needs
// GH_TOKEN with the permission `contents: write`, and GH_REPO.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { notes } from './changelog.mjs'
import { MAIN, Refused, run } from './sealed.mjs'

run(() => {
  const [tag, folder, ...rest] = process.argv.slice(2)
  if (!tag?.startsWith('v') || !folder || rest.length > 0) {
    throw new Refused('usage: node draft.mjs vX.Y.Z FOLDER')
  }
  const version = tag.slice(1)
  const files = filesOf(folder)
  const text = notes(version)
  const found = release(tag)
  if (found && !found.isDraft) {
    throw new Refused(
      `the release ${tag} is published, and its files must not change: ${found.url}\n` +
        'if its files are wrong, release a new version',
    )
  }
  const details = ['--title', `${MAIN} ${version}`, '--notes-file', '-', `--prerelease=${version.includes('-')}`]
  if (found) gh(['release', 'edit', tag, ...details], text)
  // --verify-tag: without it, gh would create a missing tag.
  else gh(['release', 'create', tag, '--draft', '--verify-tag', ...details], text)
  gh(['release', 'upload', tag, '--clobber', ...files.map((file) => join(folder, file))])
  const old = (found?.assets ?? []).map(({ name }) => name).filter((name) => !files.includes(name))
  for (const name of old) gh(['release', 'delete-asset', tag, name, '--yes'])
  console.log(
    `the release ${tag} is a draft with ${files.length} files: publish it after you approve the packages on npm`,
  )
})

function filesOf(folder) {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    throw new Refused(`cannot read ${folder}: ${error.message}; pass the folder with the files of the release`)
  }
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  if (files.length === 0) throw new Refused(`${folder} has no files; pass the folder with the files of the release`)
  return files
}

/** Returns the release for a tag, published or draft, or undefined. */
function release(tag) {
  try {
    return JSON.parse(program(['release', 'view', tag, '--json', 'isDraft,url,assets']))
  } catch (error) {
    if (/release not found/.test(error.stderr)) return undefined
    throw failed(`gh release view ${tag}`, error)
  }
}

function gh(args, input) {
  try {
    process.stdout.write(program(args, input))
  } catch (error) {
    throw failed(`gh ${args.slice(0, 3).join(' ')}`, error)
  }
}

function program(args, input = '') {
  return execFileSync('gh', args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] })
}

function failed(command, error) {
  const said = error.stderr?.trim() || error.message
  return new Refused(`${command} failed: ${said}\nrun this job again: it updates the draft`)
}
