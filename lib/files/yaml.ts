// YAML text → the value, or the first thing that is wrong with it; and where a JSON Pointer leads
// in such a text. The only importer of yaml.
import type { Document, Lexer, LineCounter, Node, Pair, ParsedNode } from 'yaml'
import { quoted } from '../text/printable.js'
import type { Place } from './json.js'

/** The most characters of a text: more takes minutes to read. */
const LONGEST = 4 * 1024 * 1024
/** The most anchors and aliases, each: for an alias the text before it is walked. */
const MOST_NAMED = 1000
/** How deep lists and maps may be nested: each level is a call. */
const DEEPEST = 100

type Parsed = { readonly value: unknown } | { readonly wrong: string; readonly cause?: unknown }

/** Reads YAML 1.2 of one document. Everything that is wrong is said with its line and column. */
export async function parseYaml(text: string): Promise<Parsed> {
  const { Lexer, LineCounter, parseDocument, visit } = await import('yaml')
  const wrong = excessIn(text, new Lexer())
  if (wrong !== undefined) return { wrong }
  try {
    const lines = new LineCounter()
    // Its own look for keys that stand twice compares all with all.
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
          else
            twice ??= `Map keys must be unique, ${quoted(name)} is there twice${atPlace(lines, key)}`
        }
        if (twice !== undefined) return visit.BREAK
      },
    })
    return twice === undefined ? { value: document.toJS({ maxAliasCount: 100 }) } : { wrong: twice }
  } catch (cause) {
    // Aliases of aliases: a few lines that stand for more than fits into memory.
    return { wrong: firstLine((cause as Error).message), cause }
  }
}

/** What there is too much of, before anything is made of the text. */
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

/** What the lexer puts between what it read: a document, the end of a flow, a scalar. */
const SIGNS = new Set(['\u0002', '\u0018', '\u001f'])

/** Lexemes → how many lists and maps are open here, by where in their lines they begin. */
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
    // Behind such a sign a list or a map may begin in the same line.
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
 * Finds where JSON Pointers lead in a text of YAML or JSON: to the key of what stands there, or to
 * that of the nearest part around it. Undefined for a text that cannot be read.
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
