// Writes the text of the issue. The same findings have the same text, so an unchanged text means that nothing changed.

/** Marks the issue that the workflow owns. */
export const MARKER = '<!-- watch -->'

/** The maximum number of advisories in the text: GitHub refuses a text of more than 65,536 characters. */
const MAX_ADVISORIES = 100

/** The maximum length of a text by a third party. */
const MAX_TEXT = 160

/** Returns whether nothing is left to do. */
export function isClean({ libraries, advisories }) {
  return advisories.length === 0 && !libraries.some(({ isOutdated }) => isOutdated)
}

/** Writes the issue's text. */
export function render({ libraries, advisories }) {
  const openssl = libraries.find(({ name, newest, newestOfAll }) => name === 'OpenSSL' && newest !== newestOfAll)
  const shown = advisories.slice(0, MAX_ADVISORIES)
  const lines = [
    MARKER,
    'The workflow `watch` writes this text each week, and closes the issue when nothing is left to do. The workflow',
    'overwrites edits of the text, and keeps comments.',
    '',
    '## Vendored libraries',
    '',
    '| library | ours | newest | what to do |',
    '|---|---|---|---|',
    ...libraries.map(libraryRow),
    '',
    ...(openssl
      ? [`OpenSSL's newest release is ${openssl.newestOfAll}. \`deny.toml\` keeps the long-term line.`, '']
      : []),
    '## Advisories',
    '',
    ...(advisories.length > 0 ? ['| found by | package | advisory | what to do |', '|---|---|---|---|'] : ['None.']),
    ...shown.map(advisoryRow),
    ...(advisories.length > shown.length
      ? ['', `And ${advisories.length - shown.length} more: see the run's log.`]
      : []),
  ]
  return `${lines.join('\n')}\n`
}

function libraryRow(library) {
  const { name, ours, newest, newestTag, repository } = library
  const link = `[${newest}](https://github.com/${repository}/releases/tag/${newestTag})`
  return `| ${name} | ${ours} | ${link} | ${libraryRemedy(library)} |`
}

function libraryRemedy({ name, crate, newest, crateVersion, crateLibrary, isOutdated }) {
  if (!isOutdated) return 'nothing'
  const recipe = 'CONTRIBUTING.md, "Updating a vendored library"'
  if (crateLibrary === newest) return `update \`${crate}\` to ${quoted(crateVersion)}: ${recipe}`
  const newestCrate = `the newest \`${crate}\`, ${quoted(crateVersion)}, lacks ${newest}`
  if (name === 'SQLite') return `${newestCrate}: read https://www.sqlite.org/cves.html, and wait for SQLCipher`
  return `${newestCrate}: read the release notes, and ask the crate's maintainers for an update`
}

function advisoryRow({ source, package: name, id, url, kind, title, remedy }) {
  const isLink = /^https:\/\/[\w./-]+$/.test(url ?? '')
  const advisory = isLink ? `[${quoted(id)}](${url})` : quoted(id)
  return `| ${source} | ${quoted(name)} | ${advisory} ${quoted(kind)}: ${quoted(title)} | ${quoted(remedy)} |`
}

/** Quotes a text by a third party as code: in code, GitHub shows no markup and notifies nobody. */
export function quoted(text) {
  const line = String(text).replaceAll(/\s+/g, ' ').trim()
  const short = line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line
  // A `|` would end the table's cell even in code.
  return `\`${short.replaceAll('`', "'").replaceAll('\\', '/').replaceAll('|', '\\|')}\``
}
