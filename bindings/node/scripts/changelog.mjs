// Reads CHANGELOG.md.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Refused } from './sealed.mjs'

/** Returns the text below the heading of a version. The heading is `## 1.2.3` or `## 1.2.3 - 2026-01-31`. */
export function notes(version) {
  const file = fileURLToPath(new URL('../../../CHANGELOG.md', import.meta.url))
  const [, ...sections] = readFileSync(file, 'utf8').split(/^## /m)
  const title = (section) => section.split('\n')[0].trim()
  const section = sections.find(
    (candidate) =>
      title(candidate)
        .split(/[\s[\]]+/)
        .filter(Boolean)[0] === version,
  )
  if (section === undefined) {
    throw new Refused(
      `CHANGELOG.md has no section for ${version}; its sections are: ${sections.map(title).join(', ') || 'none'}\n` +
        `add a section "## ${version} - YYYY-MM-DD" with the entries under "Unreleased"`,
    )
  }
  const text = section.split('\n').slice(1).join('\n').trim()
  // Headings such as "### Added" are not entries.
  if (!/^[^#\s]/m.test(text)) {
    throw new Refused(
      `the section for ${version} in CHANGELOG.md has no entries\n` +
        `move the entries under "Unreleased" to the section "## ${title(section)}"`,
    )
  }
  return text
}
