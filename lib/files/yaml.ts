// YAML text → its value or its first error; a JSON Pointer → its place in the text. Pure; the only
// importer of yaml.
import type { Document, Lexer, LineCounter, Node, Pair, ParsedNode } from 'yaml'
import { quoted } from '../text/printable.js'
import type { Place } from './json.js'

/** The most characters: reading more takes minutes. */
const LONGEST = 4 * 1024 * 1024
/** The most anchors, and the most aliases: yaml walks the text before each alias. */
const MOST_NAMED = 1000
/** The deepest nesting of lists and maps: each level is a recursive call. */
const DEEPEST = 100

type Parsed = { readonly value: unknown } | { readonly wrong: string; readonly cause?: unknown }

/** Reads one YAML 1.2 document. Errors name their line and column. */
export async function parseYaml(text: string): Promise<Parsed> {
  const { Lexer, LineCounter, parseDocument, visit } = await import('yaml')
  const wrong = excessIn(text, new Lexer())
  if (wrong !== undefined) return { wrong }
  try {
    const lines = new LineCounter()
    // The check for duplicate keys is below: yaml's own compares every key with every other.
    const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines })
    const [error] = document.errors
    if (error) return { wrong: firstLine(error.message), cause: error }
    let twice: string | undefined
    visit(document, {
      Map: (_, map) => {
        const keys = new Set<unknown>()
        for (const { key } of map.items) {
          const name = keyOf(key)
          if (!keys.has(name)) keys.add(name)
          else {
            const place = atPlace(lines, key)
            twice ??= `Map keys must be unique, ${quoted(name)} is there twice${place}`
          }
        }
        if (twice !== undefined) return visit.BREAK
      },
    })
    return twice === undefined ? { value: document.toJS({ maxAliasCount: 100 }) } : { wrong: twice }
  } catch (cause) {
    // Aliases of aliases: a few lines that expand to more than the memory holds.
    return { wrong: firstLine((cause as Error).message), cause }
  }
}

/** Says which limit a text exceeds, before yaml builds anything of it. */
function excessIn(text: string, lexer: Lexer): string | undefined {
  if (text.length > LONGEST) return `at most ${LONGEST} characters can be read, got ${text.length}`
  const counts: Record<string, number> = { '&': 0, '*': 0 }
  let [depth, isScalar] = [0, false]
  const blocks = new Blocks()
  for (const lexeme of lexer.lex(text)) {
    const [first = ''] = lexeme
    if (depth === 0) blocks.take(lexeme)
    if (isScalar) {
      isScalar = false
      continue
    }
    isScalar = lexeme === '\u001f'
    if (first === '[' || first === '{') depth += 1
    if (first === ']' || first === '}') depth -= 1
    if (depth + blocks.depth > DEEPEST)
      return `lists and maps can be nested ${DEEPEST} deep, these are deeper`
    const count = counts[first]
    if (count === undefined) continue
    counts[first] = count + 1
    const what = first === '&' ? 'anchors' : 'aliases'
    if (count >= MOST_NAMED) return `at most ${MOST_NAMED} ${what} can be read, these are more`
  }
  return undefined
}

/** Marks that the lexer inserts: a document, the end of a flow collection, a scalar. */
const SIGNS = new Set(['\u0002', '\u0018', '\u001f'])

/** Counts the block lists and maps that are open, by the columns where they begin. */
class Blocks {
  readonly #columns: number[] = []
  #column = 0
  #isStart = true

  get depth(): number {
    return this.#columns.length
  }

  take(lexeme: string): void {
    const [first = ''] = lexeme
    if (SIGNS.has(lexeme)) return
    const begins = this.#isStart && !' \t\r\n#'.includes(first)
    if (begins) this.#begin()
    const end = lexeme.lastIndexOf('\n')
    this.#column = end === -1 ? this.#column + lexeme.length : lexeme.length - end - 1
    // A list or map may begin on the same line after one of these.
    if (end !== -1 || lexeme === '-' || lexeme === '?' || lexeme === ':') this.#isStart = true
    else if (begins) this.#isStart = false
  }

  #begin(): void {
    while ((this.#columns.at(-1) ?? -1) > this.#column) this.#columns.pop()
    if ((this.#columns.at(-1) ?? -1) < this.#column) this.#columns.push(this.#column)
  }
}

const keyOf = (key: unknown): unknown =>
  key !== null && typeof key === 'object' && 'value' in key ? key.value : key

function atPlace(lines: LineCounter, node: unknown): string {
  const range = (node as Partial<ParsedNode> | null)?.range
  if (!range) return ''
  const { line, col } = lines.linePos(range[0])
  return ` at line ${line}, column ${col}`
}

/**
 * Finds where JSON Pointers lead in YAML or JSON text: the key of the value, or of the nearest part
 * around it. Undefined for each if the text cannot be read.
 */
export async function locate(
  text: string,
  paths: readonly (readonly string[])[],
): Promise<(Place | undefined)[]> {
  const { Lexer, LineCounter, isMap, isSeq, parseDocument } = await import('yaml')
  if (excessIn(text, new Lexer()) !== undefined) return paths.map(() => undefined)
  const lines = new LineCounter()
  const document: Document.Parsed = parseDocument(text, { uniqueKeys: false, lineCounter: lines })
  const find = (path: readonly string[]): Place | undefined => {
    let node: unknown = document.contents
    let place = (node as Node | null)?.range?.[0]
    for (const key of path) {
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find((one) => String(keyOf(one.key)) === key)
        if (!pair) break
        place = (pair.key as Node).range?.[0] ?? place
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(key)]
        if (!node) break
        place = (node as Node).range?.[0] ?? place
      } else break
    }
    if (place === undefined) return undefined
    const { line, col } = lines.linePos(place)
    return { line, column: col }
  }
  return paths.map(find)
}

const firstLine = (text: string): string => text.split('\n')[0]?.replace(/:$/, '') ?? ''
