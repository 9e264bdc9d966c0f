// Writes the results into README.md, between two markers, and the plots into plots/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asMarkdown } from './tables.mjs'

const FOLDER = fileURLToPath(new URL('../', import.meta.url))
const START = '<!-- results: `npm run bench -- --readme` writes this section -->'
const END = '<!-- end of the results -->'

/** Replaces the results in README.md and the plots in plots/. */
export function writeReadme({ lines, tables, plots }) {
  const file = join(FOLDER, 'README.md')
  writeFileSync(file, withResults(readFileSync(file, 'utf8'), results({ lines, tables, plots })))
  writePlots(join(FOLDER, 'plots'), plots)
}

/** Writes plots into a folder. */
export function writePlots(folder, plots) {
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of plots) writeFileSync(join(folder, name), svg)
}

/** Replaces the part of a text between the markers. */
export function withResults(text, results) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start === -1 || end < start) throw new Error(`README.md must contain the markers ${START} and ${END}`)
  return `${text.slice(0, start + START.length)}\n\n${results}\n\n${text.slice(end)}`
}

function results({ lines, tables, plots }) {
  // The summary is for the root README.
  const images = [...plots.keys()]
    .filter((name) => name !== 'summary.svg')
    .map((name) => `![${name.replace('.svg', '')}](plots/${name})`)
  return [...lines.map((line) => `- ${line}`), '', images.join('\n\n'), '', tables.map(asMarkdown).join('\n\n')].join(
    '\n',
  )
}
