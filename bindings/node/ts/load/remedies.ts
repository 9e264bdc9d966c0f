import { type Failure, noMain, WrongAddon } from './attempt'
import { CutShort } from './cut-short'
import { Denied, denied } from './denied'
import { packageJson } from './installation'
import { type LibraryFile, readLibrary } from './library-file'
import { machine } from './machine'
import { archived, missing, notUnpacked } from './missing'
import { older } from './older'
import { platforms } from './platforms'

/** Returns a remedy for each file that exists but does not load, or else for the missing addon. */
export function remedies(failures: readonly [Failure, ...Failure[]]): string[] {
  const forbidden = failures.map(addonsForbidden).find((line) => line !== undefined)
  if (forbidden) return [forbidden]
  const [first] = failures
  if (first.place === 'override') return [...overriding(first), OVERRIDE]
  const present = failures.filter(({ absent }) => !absent)
  if (present.length > 0) return [...new Set(present.map(notLoading))]
  return first.platform ? [missing(first.platform)] : []
}

/** Returns the remedy for a process that may not load addons at all. */
function addonsForbidden({ error }: Failure): string | undefined {
  if (codeOf(error) === 'ERR_DLOPEN_DISABLED')
    return (
      'Node was started with --no-addons, or with --permission but without --allow-addons. Remove --no-addons, or add ' +
      '--allow-addons.'
    )
  if (error.name === 'NotCapable')
    return 'Deno was started without the permission above. Start Deno with that permission; an addon needs --allow-ffi.'
  return undefined
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code ?? (error.cause as { code?: unknown } | undefined)?.code
}

/** A description of a file that does not load, and the steps to get one that does. */
interface Remedy {
  readonly what: string
  /**
   * The steps for a file that a package manager installed. The loader prints no steps for the file that
   * STRONGROOM_LIBRARY names.
   */
  readonly todo: string
}

function notLoading(failure: Failure): string {
  const unpacked = notUnpacked(failure)
  if (unpacked) return unpacked
  const { what, todo } = remedy(failure) ?? UNKNOWN
  return `${what} ${todo}`.trim()
}

/** Describes the file that STRONGROOM_LIBRARY names. */
function overriding(failure: Failure): string[] {
  if (failure.absent) return [archived(failure)].filter((line) => line !== undefined)
  return [remedy(failure)?.what ?? ''].filter((line) => line !== '')
}

const OVERRIDE =
  'STRONGROOM_LIBRARY names this file, and no other file is tried: correct STRONGROOM_LIBRARY, or unset it.'

const UNKNOWN: Remedy = { what: '', todo: 'Install again. If the error persists, please report it with this message.' }

function remedy(failure: Failure): Remedy | undefined {
  const { error, file } = failure
  if (error instanceof WrongAddon) return wrongAddon(error)
  if (error instanceof CutShort) return { what: '', todo: 'The download or a copy was incomplete. Install again.' }
  if (error instanceof Denied) return unreadable(error.path)
  return byMessage(error) ?? (file ? byFile(file, readLibrary(file)) : undefined)
}

function wrongAddon({ version }: WrongAddon): Remedy {
  if (version === undefined)
    return { what: '', todo: "Another library has the addon's name. Install strongroom again." }
  return {
    what: 'strongroom and its addon must have the same version.',
    todo:
      `Install both again: npm install strongroom@${packageJson.version}. If the error persists, remove node_modules first, ` +
      'and look for an entry in "overrides" or "resolutions" that pins strongroom or its addon.',
  }
}

function unreadable(path: string): Remedy {
  return { what: `This user may not read ${path}.`, todo: `Grant access: chmod -R a+rX ${path}` }
}

/** Returns the remedy for an error whose message is the same on every system. */
function byMessage(error: Error): Remedy | undefined {
  if (codeOf(error) === 'MODULE_NOT_FOUND' && noMain(error))
    return {
      what: 'The package is installed without its addon: did a pruning step or a virus scanner remove it?',
      todo: 'Install again.',
    }
  const glibc = /version [`']GLIBC_([\d.]+)' not found/.exec(error.message)?.[1]
  if (glibc) return oldGlibc(glibc)
  if (/failed to map segment|Operation not permitted/.test(error.message))
    return {
      what: 'The file system is mounted noexec.',
      todo: 'Install on a file system without noexec.',
    }
  if (error.message.includes('did not self-register'))
    return { what: 'The file is a library, but not an addon for Node.', todo: 'Install strongroom again.' }
  return undefined
}

function oldGlibc(needed: string): Remedy {
  const { glibc, cpu } = machine
  const what = `The addon needs glibc ${needed}, and this system has ${glibc ?? 'another version'}.`
  const floor = platforms.find((known) => known.libc === 'glibc' && known.cpu === cpu)?.floor
  const todo =
    glibc && floor && !older(glibc, floor)
      ? `The addon was built on a newer system. Install the published addon, which needs glibc ${floor}.`
      : `Update the system to glibc ${floor} or later: Debian 10, Ubuntu 20.04, RHEL 8.`
  return { what, todo }
}

/** Returns the remedy for a file by its header, because each system describes such a file differently. */
function byFile(file: string, library: LibraryFile): Remedy | undefined {
  switch (library.kind) {
    case 'unreadable': {
      const path = denied(file)
      return path === undefined ? undefined : unreadable(path)
    }
    case 'folder':
      return { what: 'The path is a folder.', todo: 'Remove the folder, and install again.' }
    case 'empty':
    case 'no library':
      return {
        what: 'The file is not a library.',
        todo: 'The download or a copy was incomplete, or something replaced the file. Install again.',
      }
  }
  const { os, cpus, libc } = library
  const sameLibc = libc === machine.libc || machine.libc === 'unknown'
  if (os === machine.os && cpus.includes(machine.cpu) && sameLibc) return undefined
  const named = (os: string, cpu: string, libc: string | null) =>
    `${os}-${cpu}${libc && libc !== 'unknown' ? ` with ${libc}` : ''}`
  return {
    what: `The file is for ${named(os, cpus.join('+'), libc)}, and this system is ${named(machine.os, machine.cpu, machine.libc)}.`,
    todo:
      'Was node_modules copied from another machine or container? Remove node_modules, and install again on this ' +
      'system.',
  }
}
