// For each file that the system or Node refuses to load, the loader's error names a remedy.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { addon, addons, bareCopy, compile, load, otherUser, platform, report, run } from './loading.mjs'
import { folder } from './temporary.mjs'

const here = platform.split('-').slice(0, 2).join('-')
const linux = process.platform === 'linux' ? false : 'only Linux has such files'

/** Returns parts of the loader's message about a file beside its code: the system's error, and the remedy. */
function refusal(make, options) {
  const copy = bareCopy()
  const file = join(copy, 'dist', `bindings_node.${platform}.node`)
  make(file)
  const { message, code, cause } = load(copy, options)
  assert.equal(code, 'STRONGROOM_ADDON')
  const [, first, second, ...remedies] = message.split('\n')
  assert.equal(first, `  - ${file}: ${cause}`)
  assert.equal(second, `  - @strongroom/${platform}: the package is not installed`)
  assert.equal(remedies.length, 1, message)
  return { file, cause, remedy: remedies[0] }
}

for (const [what, content] of [
  ['an empty file', ''],
  ["a file that was cut within the library's first header", readFileSync(addon).subarray(0, 32)],
  ['a text file', 'version 1 of a pointer to the file\n'.repeat(10)],
]) {
  test(`the loader reports ${what} in place of the addon`, () => {
    const { remedy } = refusal((file) => writeFileSync(file, content))
    assert.match(remedy, /^The file is not a library\. .* Install again\.$/)
  })
}

test('the loader reports a folder in place of the addon', () => {
  const { remedy } = refusal((file) => mkdirSync(file))
  assert.match(remedy, /^The path is a folder\. Remove the folder, and install again\.$/)
})

// Runs only if `cargo xtask dist --all` built addons for other platforms. The later tests write their own headers, so
// they run everywhere.
for (const other of addons.filter((file) => file !== addon)) {
  test(`the loader reports ${basename(other)}, which is for another platform`, () => {
    const { remedy } = refusal((file) => copyFileSync(other, file))
    const [os, cpu, libc] = /bindings_node\.(.*)\.node$/.exec(other)[1].split('-')
    const name = `${os}-${cpu}${libc === 'gnu' ? ' with glibc' : libc === 'musl' ? ' with musl' : ''}`
    assert.match(
      remedy,
      new RegExp(`^The file is for ${name}, and this system is ${here}.*copied from another machine`),
    )
  })
}

test('the loader names the system and the CPU of a library for another platform', () => {
  const machO = Buffer.alloc(64)
  machO.writeUInt32LE(0xfeedfacf)
  machO.writeUInt32LE(0x0100000c, 4)
  const fat = Buffer.alloc(64)
  fat.write('cafebabe00000002', 'hex')
  fat.writeUInt32BE(0x01000007, 8)
  fat.writeUInt32BE(0x0100000c, 28)
  const pe = Buffer.alloc(128)
  pe.write('MZ')
  pe.writeUInt32LE(64, 0x3c)
  pe.write('PE\0\0', 64)
  pe.writeUInt16LE(0xaa64, 68)
  const foreign = [
    [machO, 'darwin-arm64'],
    [fat, 'darwin-x64\\+arm64'],
    [pe, 'win32-arm64'],
  ].filter(([, name]) => process.platform !== name.split('-')[0])
  for (const [content, name] of foreign) {
    const { remedy } = refusal((file) => writeFileSync(file, content))
    assert.match(remedy, new RegExp(`^The file is for ${name}, and this system is ${here}`))
  }
})

test('the loader reports an addon for another CPU', { skip: linux }, () => {
  const { remedy } = refusal((file) => {
    const bytes = readFileSync(addon)
    bytes.writeUInt16LE(243, 18)
    writeFileSync(file, bytes)
  })
  assert.match(remedy, new RegExp(`^The file is for linux-riscv64 with \\w+, and this system is ${here}`))
})

const glibc = linux || (!platform.endsWith('gnu') && 'this is not glibc')

test('the loader reports an addon that was built on a newer system', { skip: glibc }, () => {
  const { cause, remedy } = refusal((file) => writeFileSync(file, needsGlibc(readFileSync(addon), '2.99')))
  assert.match(cause, /version `GLIBC_2\.99' not found/)
  const has = process.report.getReport().header.glibcVersionRuntime
  const published = 'The addon was built on a newer system. Install the published addon, which needs glibc 2.'
  assert.ok(remedy.startsWith(`The addon needs glibc 2.99, and this system has ${has}. ${published}`), remedy)
})

test('the loader reports a system that is too old for the addon', { skip: glibc }, () => {
  const { remedy } = refusal((file) => {
    writeFileSync(file, needsGlibc(readFileSync(addon), '2.99'))
    const table = join(file, '../load/platforms.js')
    writeFileSync(table, readFileSync(table, 'utf8').replaceAll(/floor: '2\.\d+'/g, "floor: '2.99'"))
  })
  assert.match(remedy, /^The addon needs glibc 2\.99, .* Update the system to glibc 2\.99 or later: /)
})

/** Renames the newest glibc version that an addon needs, and updates the hash of the name. Source: System V ABI. */
function needsGlibc(bytes, version) {
  const names = new Set(bytes.toString('latin1').match(/GLIBC_2\.\d\d(?=\0)/g))
  const newest = [...names].sort().at(-1)
  const hash = (name) => {
    let h = 0n
    for (const byte of Buffer.from(name)) {
      h = (h << 4n) + BigInt(byte)
      const high = h & 0xf0000000n
      h = (h ^ (high >> 24n)) & ~high
    }
    const word = Buffer.alloc(4)
    word.writeUInt32LE(Number(h))
    return word
  }
  const name = `GLIBC_${version}`
  for (let at = bytes.indexOf(newest); at !== -1; at = bytes.indexOf(newest, at + 1)) bytes.write(name, at)
  const [old, replacement] = [hash(newest), hash(name)]
  for (let at = bytes.indexOf(old); at !== -1; at = bytes.indexOf(old, at + 1)) replacement.copy(bytes, at)
  return bytes
}

test('the loader reports an addon for another libc', { skip: linux }, (context) => {
  const other = platform.endsWith('gnu') ? 'musl' : 'glibc'
  const soname = other === 'musl' ? 'libc.musl-other.so.1' : 'libc.so.999'
  const libc = join(folder, soname)
  // A library for glibc is recognised by its versioned symbols.
  const script = join(folder, 'versions')
  writeFileSync(script, `${other === 'musl' ? 'MUSL' : 'GLIBC_2.28'} { global: *; };`)
  const skip = compile('int other_libc(void) { return 1; }', libc, [
    '-nostdlib',
    `-Wl,-soname,${soname}`,
    ...(other === 'musl' ? [] : [`-Wl,--version-script,${script}`]),
  ])
  if (skip) return context.skip(skip)
  const source = 'int other_libc(void); void *napi_register_module_v1(void *e, void *x) { other_libc(); return x; }'
  const { cause, remedy } = refusal((file) => compile(source, file, ['-nostdlib', libc]))
  assert.ok(cause.includes(soname), cause)
  assert.match(remedy, new RegExp(`^The file is for ${here} with ${other}, and this system is ${here} with `))
})

test('the loader reports the addon of another project', (context) => {
  const library = join(folder, 'other.node')
  const skip = compile('void *napi_register_module_v1(void *env, void *exports) { return exports; }', library)
  if (skip) return context.skip(skip)
  const { cause, remedy } = refusal((file) => copyFileSync(library, file))
  assert.equal(cause, "the file is not strongroom's addon")
  assert.equal(remedy, "Another library has the addon's name. Install strongroom again.")
})

test('the loader reports a library that is not an addon', (context) => {
  const library = join(folder, 'library.node')
  const skip = compile('int answer(void) { return 42; }', library)
  if (skip) return context.skip(skip)
  const { cause, remedy } = refusal((file) => copyFileSync(library, file))
  assert.match(cause, /did not self-register/)
  assert.match(remedy, /^The file is a library, but not an addon for Node\./)
})

test('the loader asks for a report if it knows no remedy', { skip: linux }, (context) => {
  const library = join(folder, 'unresolved.node')
  const skip = compile(
    'int puts(const char *); extern int nowhere; int *needed = &nowhere; int hello(void) { return puts(""); }',
    library,
  )
  if (skip) return context.skip(skip)
  const { cause, remedy } = refusal((file) => copyFileSync(library, file))
  assert.match(cause, /nowhere/)
  assert.equal(remedy, 'Install again. If the error persists, please report it with this message.')
})

test('the loader reports a file without read permission', { skip: otherUser.skip }, () => {
  const { file, remedy } = refusal((file) => {
    copyFileSync(addon, file)
    chmodSync(file, 0o000)
  }, otherUser)
  assert.equal(remedy, `This user may not read ${file}. Grant access: chmod -R a+rX ${file}`)
})

test('the loader reports a file system that is mounted noexec', { skip: linux }, (context) => {
  const mounted = join(folder, 'noexec')
  mkdirSync(mounted)
  // Only this process sees the mount.
  const script = 'mount -t tmpfs -o noexec none "$1" && cp -r "$2"/. "$1" && shift 2 && exec "$@"'
  const unshare = (...command) => [
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    script,
    'sh',
    mounted,
    ...command,
  ]
  const copy = bareCopy()
  copyFileSync(addon, join(copy, 'dist', `bindings_node.${platform}.node`))
  if (spawnSync('unshare', unshare(copy, 'true')).status !== 0)
    return context.skip('this user may not mount a file system')
  const expression = `require(${JSON.stringify(join(mounted, 'dist/index.js'))})`
  const { message, cause } = run('unshare', unshare(copy, process.execPath, '-e', report(expression)), {})
  assert.match(cause, /failed to map segment|Operation not permitted/)
  assert.match(message, /\nThe file system is mounted noexec\. /)
})
