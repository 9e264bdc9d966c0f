import { type Failure, noMain, WrongAddon } from './attempt'
import { home, installedInstead, lockFile, packageJson } from './installation'
import { type LibraryFile, readLibrary } from './library-file'
import { machine } from './machine'
import { older } from './older'
import { platforms } from './platforms'

/** What to do, in a line for each cause: about what is there and does not load, else about what is missing. */
export function remedies(failures: readonly Failure[]): string[] {
  const present = failures.filter(({ absent }) => !absent)
  const lines = present.length > 0 ? present.map(notLoading) : [missing(failures[0] as Failure)]
  if (failures[0]?.place === 'override')
    lines.push('STRONGROOM_LIBRARY names this file, and nothing else is tried: correct it, or unset it.')
  return [...new Set(lines)].filter((line) => line !== '')
}

/** The addon is not where it should be. */
function missing({ place, platform, from }: Failure): string {
  if (inArchive(from)) return ARCHIVE
  if (place === 'override' || !platform) return ''
  const name = `@strongroom/${platform.name}`
  if (!home)
    return (
      'A bundler has put strongroom into its bundle, and left the addon out. Leave strongroom out of the bundle and ' +
      'install it where the bundle runs (esbuild: --external:strongroom; webpack and rspack: externals: { strongroom: ' +
      `'commonjs strongroom' }), or copy the addon beside the bundle (esbuild: --loader:.node=copy, with ${name} ` +
      'installed where it bundles).'
    )
  if (inArchive(home)) return ARCHIVE
  const others = installedInstead(platform.name)
  if (others.length > 0)
    return (
      `Installed here is the addon for ${others.join(', ')}: node_modules was installed on another system, or copied ` +
      `from one (from a Docker stage with another libc?). Install again on this one; or install for both there: ${both(name)}`
    )
  const lock = lockFile(platform.name)
  if (lock && !lock.complete)
    return (
      `${lock.file} does not list ${name}: it was made on another system, or without optional dependencies. ` +
      `Renew it: npm uninstall strongroom, then npm install strongroom@${packageJson.version}; or remove it and ` +
      'node_modules, and install again.'
    )
  return (
    'Optional dependencies were left out of the installation (--omit=optional, --no-optional, or the same in .npmrc), ' +
    'and the addon is one. Install again with them: npm install --include=optional'
  )
}

function both(name: string): string {
  const { os, cpu, libc } = machine
  const libcFlag = libc ? ` --libc=${libc}` : ''
  return `npm install --os=${os} --cpu=${cpu}${libcFlag} ${name}@${packageJson.version}`
}

const ARCHIVE =
  "The system cannot load a library from inside an .asar archive. Leave it unpacked: asarUnpack: ['**/*.node'] with " +
  "electron-builder, asar: { unpack: '**/*.node' } with electron-packager and Forge."

function inArchive(path: string): boolean {
  return /\.asar([\\/]|$)/.test(path)
}

/** The addon is there, and does not load. */
function notLoading(failure: Failure): string {
  const { error, file, place } = failure
  if (error instanceof WrongAddon) return wrongAddon(error)
  return (
    byMessage(failure) ??
    (file ? byFile(file, readLibrary(file), place) : undefined) ??
    'Install again; if it stays, please report it with this message.'
  )
}

function wrongAddon({ version }: WrongAddon): string {
  if (version === undefined) return 'Another library stands in its place. Install strongroom again.'
  return (
    `strongroom and its addon must be of the same version. Install both again: npm install strongroom@${packageJson.version}; ` +
    'if it stays, remove node_modules first, and look for an "overrides" or "resolutions" that holds one of them back.'
  )
}

/** What Node and the system's loader say in the same words everywhere. */
function byMessage({ error }: Failure): string | undefined {
  const code = (error as { code?: unknown }).code ?? (error.cause as { code?: unknown } | undefined)?.code
  if (code === 'ERR_DLOPEN_DISABLED')
    return 'Node was started with --no-addons, or with --permission and without --allow-addons. Start it with addons.'
  if (code === 'MODULE_NOT_FOUND' && noMain(error))
    return 'The package is installed, but its addon is gone from it: a pruning step or a virus scanner? Install again.'
  const glibc = /version [`']GLIBC_([\d.]+)' not found/.exec(error.message)?.[1]
  if (glibc) return oldGlibc(glibc)
  if (/failed to map segment|Operation not permitted/.test(error.message))
    return 'The file system forbids to run what is on it: is it mounted with noexec? Install on one that does not.'
  if (error.message.includes('did not self-register'))
    return 'The file is a library, but no addon for Node. Install strongroom again.'
  return undefined
}

function oldGlibc(needed: string): string {
  const { glibc, cpu } = machine
  const lacks = `The addon needs glibc ${needed}, and this system has ${glibc ?? 'another'}.`
  const floor = platforms.find((known) => known.libc === 'glibc' && known.cpu === cpu)?.floor
  if (glibc && floor && !older(glibc, floor))
    return `${lacks} It was built on a newer system; the published one runs from glibc ${floor} on: install that one.`
  return `${lacks} Update the system to one with glibc ${floor} or later: Debian 10, Ubuntu 20.04, RHEL 8.`
}

/** What the file itself shows, where the words depend on the system. */
function byFile(file: string, library: LibraryFile, place: Failure['place']): string | undefined {
  switch (library.kind) {
    case 'unreadable':
      return `This user may not read the file. Let it: chmod a+r ${file}, and a+x for each folder above it.`
    case 'folder':
      return 'There is a folder in its place. Remove it, and install again.'
    case 'empty':
    case 'no library':
      return 'The file is no library: the download or a copy was cut short, or something replaced it. Install again.'
  }
  const { os, cpus, libc } = library
  if (os === machine.os && cpus.includes(machine.cpu) && libc === machine.libc) return undefined
  const named = (os: string, cpu: string, libc: string | null) => `${os}-${cpu}${libc ? ` with ${libc}` : ''}`
  const foreign = `The file is for ${named(os, cpus.join('+'), libc)}, and this is ${named(machine.os, machine.cpu, machine.libc)}`
  if (place === 'override') return `${foreign}.`
  return (
    `${foreign}: was node_modules copied from another machine or container? Remove node_modules, and install again ` +
    'on this system.'
  )
}
