import { type Failure, noMain, WrongAddon } from './attempt'
import { CutShort } from './cut-short'
import { Denied, denied } from './denied'
import { packageJson } from './installation'
import { type LibraryFile, readLibrary } from './library-file'
import { machine } from './machine'
import { archived, missing } from './missing'
import { older } from './older'
import { platforms } from './platforms'

/** What to do, in a line for each cause: about what is there and does not load, else about what is missing. */
export function remedies(failures: readonly [Failure, ...Failure[]]): string[] {
  const forbidden = failures.map(addonsForbidden).find((line) => line !== undefined)
  if (forbidden) return [forbidden]
  const [first] = failures
  if (first.place === 'override') return [...overriding(first), OVERRIDE]
  const present = failures.filter(({ absent }) => !absent)
  if (present.length > 0) return [...new Set(present.map(notLoading))]
  return first.platform ? [missing(first.platform)] : []
}

/** What holds for every file: how this process was started. */
function addonsForbidden({ error }: Failure): string | undefined {
  if (codeOf(error) === 'ERR_DLOPEN_DISABLED')
    return 'Node was started with --no-addons, or with --permission and without --allow-addons. Start it with addons.'
  if (error.name === 'NotCapable')
    return 'Deno was started without the permission that it names. Start it with that one; an addon needs --allow-ffi.'
  return undefined
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code ?? (error.cause as { code?: unknown } | undefined)?.code
}

/** What a file is, and how to get one that loads. */
interface Remedy {
  readonly what: string
  /** Only for what a package manager has installed: the file of STRONGROOM_LIBRARY is the user's own. */
  readonly todo: string
}

function notLoading(failure: Failure): string {
  const { what, todo } = remedy(failure) ?? UNKNOWN
  return `${what} ${todo}`.trim()
}

/** Where the addon is that STRONGROOM_LIBRARY names, or what the file is. */
function overriding(failure: Failure): string[] {
  if (failure.absent) return [archived(failure)].filter((line) => line !== undefined)
  return [remedy(failure)?.what ?? ''].filter((line) => line !== '')
}

const OVERRIDE =
  'Nothing but this file is tried, for STRONGROOM_LIBRARY names it: correct STRONGROOM_LIBRARY, or unset it.'

const UNKNOWN: Remedy = { what: '', todo: 'Install again; if it stays, please report it with this message.' }

function remedy(failure: Failure): Remedy | undefined {
  const { error, file } = failure
  if (error instanceof WrongAddon) return wrongAddon(error)
  if (error instanceof CutShort) return { what: '', todo: 'The download or a copy of it ended early. Install again.' }
  if (error instanceof Denied) return unreadable(error.path)
  return byMessage(error) ?? (file ? byFile(file, readLibrary(file)) : undefined)
}

function wrongAddon({ version }: WrongAddon): Remedy {
  if (version === undefined) return { what: '', todo: 'Another library stands in its place. Install strongroom again.' }
  return {
    what: 'strongroom and its addon must be of the same version.',
    todo:
      `Install both again: npm install strongroom@${packageJson.version}; if it stays, remove node_modules first, and ` +
      'look for an "overrides" or "resolutions" that holds one of them back.',
  }
}

function unreadable(path: string): Remedy {
  return { what: `This user may not read ${path}.`, todo: `Let it: chmod -R a+rX ${path}` }
}

/** What Node and the system's loader say in the same words everywhere. */
function byMessage(error: Error): Remedy | undefined {
  if (codeOf(error) === 'MODULE_NOT_FOUND' && noMain(error))
    return {
      what: 'The package is installed, but its addon is gone from it: a pruning step or a virus scanner?',
      todo: 'Install again.',
    }
  const glibc = /version [`']GLIBC_([\d.]+)' not found/.exec(error.message)?.[1]
  if (glibc) return oldGlibc(glibc)
  if (/failed to map segment|Operation not permitted/.test(error.message))
    return {
      what: 'The file system forbids to run what is on it: is it mounted with noexec?',
      todo: 'Install on one that does not.',
    }
  if (error.message.includes('did not self-register'))
    return { what: 'The file is a library, but no addon for Node.', todo: 'Install strongroom again.' }
  return undefined
}

function oldGlibc(needed: string): Remedy {
  const { glibc, cpu } = machine
  const what = `The addon needs glibc ${needed}, and this system has ${glibc ?? 'another'}.`
  const floor = platforms.find((known) => known.libc === 'glibc' && known.cpu === cpu)?.floor
  const todo =
    glibc && floor && !older(glibc, floor)
      ? `It was built on a newer system; the published one runs from glibc ${floor} on: install that one.`
      : `Update the system to one with glibc ${floor} or later: Debian 10, Ubuntu 20.04, RHEL 8.`
  return { what, todo }
}

/** What the file itself shows, where the words depend on the system. */
function byFile(file: string, library: LibraryFile): Remedy | undefined {
  switch (library.kind) {
    case 'unreadable': {
      const path = denied(file)
      return path === undefined ? undefined : unreadable(path)
    }
    case 'folder':
      return { what: 'It is a folder.', todo: 'Remove it, and install again.' }
    case 'empty':
    case 'no library':
      return {
        what: 'The file is no library.',
        todo: 'The download or a copy was cut short, or something replaced it. Install again.',
      }
  }
  const { os, cpus, libc } = library
  const sameLibc = libc === machine.libc || machine.libc === 'unknown'
  if (os === machine.os && cpus.includes(machine.cpu) && sameLibc) return undefined
  const named = (os: string, cpu: string, libc: string | null) =>
    `${os}-${cpu}${libc && libc !== 'unknown' ? ` with ${libc}` : ''}`
  return {
    what: `The file is for ${named(os, cpus.join('+'), libc)}, and this is ${named(machine.os, machine.cpu, machine.libc)}.`,
    todo:
      'Was node_modules copied from another machine or container? Remove node_modules, and install again on this ' +
      'system.',
  }
}
