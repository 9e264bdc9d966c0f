// Plots: horizontal bars for each workload, one for each configuration.

/** The colours of Okabe and Ito, which people with a colour vision deficiency can tell apart. */
export const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#999999', '#f0e442']

const WIDTH = 900
const LABELS = 210
const VALUES = 130
const BAR = 13
const GAP = 14
const TOP = 74

/**
 * Returns a bar chart as SVG.
 *
 * @param groups - `{ label, bars: [{ name, value, text }] }`; a bar's length is its value
 * @param names - the legend, in the order of `colours`
 * @param reference - a value that a line marks, such as 1 for ratios
 * @param limit - the value at which longer bars are cut off; their text still shows the full value
 */
export function barChart({ title, subtitle, names, colours = COLOURS, groups, reference, limit }) {
  const longest = Math.min(
    limit ?? Number.POSITIVE_INFINITY,
    Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value))),
  )
  const scale = (value) => (Math.min(value, longest) / longest) * (WIDTH - LABELS - VALUES)
  const legend = legendOf(names, colours)
  let y = TOP + legend.height
  const parts = []
  for (const { label, bars } of groups) {
    const height = bars.length * BAR
    parts.push(text(LABELS - 10, y + height / 2 + 4, label, 'end'))
    for (const [at, bar] of bars.entries()) {
      const length = Math.max(1, scale(bar.value))
      const top = y + at * BAR
      parts.push(
        `<rect x="${LABELS}" y="${top}" width="${number(length)}" height="${BAR - 2}" fill="${colours[names.indexOf(bar.name) % colours.length]}"/>`,
      )
      if (bar.value > longest) parts.push(cutOff(LABELS + length, top))
      parts.push(text(LABELS + length + 6, top + BAR - 3.5, bar.text, 'start', 'value'))
    }
    y += height + GAP
  }
  if (reference !== undefined) {
    const x = number(LABELS + scale(reference))
    parts.unshift(`<line class="reference" x1="${x}" x2="${x}" y1="${TOP + legend.height - 8}" y2="${y - GAP + 6}"/>`)
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 4}" width="${WIDTH}" height="${y + 4}" role="img">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect class="paper" width="${WIDTH}" height="${y + 4}"/>`,
    text(16, 28, title, 'start', 'title'),
    text(16, 48, subtitle, 'start', 'value'),
    ...legend.parts,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** Sets the colours for light and dark pages: an image does not inherit the colours of its page. */
const STYLE = `<style>
  text { font: 12px "DejaVu Sans", "Helvetica Neue", Arial, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: bold }
  .value { font-size: 11px; fill: #57606a; paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
  .reference { stroke: #57606a; stroke-width: 1; stroke-dasharray: 3 3 }
  .paper { fill: #ffffff }
  .cut { stroke: #ffffff; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .value { fill: #9da7b3; stroke: #0d1117 }
    .reference { stroke: #9da7b3 }
    .paper { fill: #0d1117 }
    .cut { stroke: #0d1117 }
  }
</style>`

function legendOf(names, colours) {
  const parts = []
  let x = 16
  let y = TOP - 8
  for (const [at, name] of names.entries()) {
    const width = 34 + name.length * 7.2
    if (x + width > WIDTH) {
      x = 16
      y += 20
    }
    parts.push(`<rect x="${number(x)}" y="${y - 10}" width="12" height="12" fill="${colours[at % colours.length]}"/>`)
    parts.push(text(x + 18, y, name))
    x += width
  }
  return { parts, height: y - TOP + 30 }
}

/** Returns two slanted lines across the end of a bar. */
function cutOff(x, y) {
  const line = (at) => `<line class="cut" x1="${number(at)}" y1="${y + BAR - 1}" x2="${number(at + 4)}" y2="${y - 1}"/>`
  return line(x - 16) + line(x - 11)
}

function text(x, y, content, anchor = 'start', style = '') {
  const attributes = `${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${style && ` class="${style}"`}`
  return `<text x="${number(x)}" y="${number(y)}"${attributes}>${escaped(content)}</text>`
}

function number(value) {
  return Number(value.toFixed(1))
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
