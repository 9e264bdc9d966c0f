/** The width of the help. */
const COLUMNS = 80

/** Breaks a text into lines between words. Each line begins with `indent` spaces. */
export function wrapped(text: string, indent = 0, columns: number = COLUMNS): string {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && indent + longer.length > columns) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n')
}

/** Breaks the lines of a message at the width of the terminal, if a stream is one. */
export function fitting(text: string, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY || !stream.columns) return text
  return text
    .split('\n')
    .map((line) => wrapped(line, 0, stream.columns))
    .join('\n')
}
