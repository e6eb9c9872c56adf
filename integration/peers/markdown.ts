// Words and cells → Markdown within the width of the pages. Pure.

const WIDTH = 110

/** A word, or words that are kept together: a span of code is not folded. */
const WORD = /(?:`[^`]*`|[^\s`])+/g

/** Folds a paragraph, or an item of a list whose later lines are indented. */
function fold(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.match(WORD) ?? []) {
    if (line !== '' && `${line} ${word}`.length > WIDTH) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

export const paragraph = (text: string): string => fold(text)

/** Writes a list with an item for each text. */
export const list = (items: readonly string[]): string =>
  items.map((item) => fold(`- ${item}`, '  ')).join('\n')

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`.replace(
    /\| {2}(?=\|)/g,
    '| ',
  )

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n')
