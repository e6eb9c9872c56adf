// What nft wrote on stderr → the same without what it quotes, and the command that it means. Pure.

/** nft quotes the line that it cannot read. A JSON document is one line, with all its secrets. */
const DOCUMENT = /\{\s*"nftables".*$/gm

/** A script has a command a line. nft marks the place below the quoted line. */
const COMMAND = /^\s*(?:add|create|delete|flush) .*(?:\n[ \t^~]+$)?/gm

/** Takes the quoted parts of a document out of nft's words: they have its secrets. */
export function withoutQuotes(stderr: string, isScript: boolean): string {
  const text = stderr.replace(DOCUMENT, '(the document)')
  return (isScript ? text.replace(COMMAND, '(the command)') : text).trim()
}

/**
 * The index of the command that nft means; undefined if it names none. In a script it names a line.
 */
export function commandIn(stderr: string, isScript: boolean): number | undefined {
  const [, number] =
    (isScript
      ? /:(\d+):\d+-\d+: Error: /.exec(stderr)
      : /Parsing command array at index (\d+) failed/.exec(stderr)) ?? []
  return number === undefined ? undefined : Number(number) - (isScript ? 1 : 0)
}
