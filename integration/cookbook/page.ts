// A page with marked blocks → its specs, and its command lines for the server and for clients.
// Reads one file.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDER = 'docs/start/cookbook/'

export interface Block {
  /** The comment before the block, such as `client: knock`, which the page does not show. */
  readonly mark: string
  readonly language: string
  readonly text: string
}

/** Returns the pages' names, without their ending. */
export const pageNames = (): string[] =>
  readdirSync(`${ROOT}${FOLDER}`).flatMap((name) =>
    /^[a-z].*\.md$/.test(name) ? [name.slice(0, -3)] : [],
  )

/** A recipe's page. It remembers which of its blocks were used. */
export class Page {
  readonly name: string
  readonly text: string
  readonly blocks: readonly Block[]
  readonly #left: Set<string>

  /** @param path - the file in the project. Default: a page of the cookbook. */
  constructor(name: string, path = `${FOLDER}${name}.md`) {
    this.name = name
    this.text = readFileSync(`${ROOT}${path}`, 'utf8')
    this.blocks = blocksOf(this.text)
    this.#left = new Set(this.blocks.map(({ mark }) => mark))
  }

  /** Returns the text of the block with this mark. */
  block(mark: string): string {
    const block = this.blocks.find((block) => block.mark === mark)
    if (!block) throw new Error(`${this.name}: no block is marked ${mark}`)
    this.#left.delete(mark)
    return block.text
  }

  /** Returns the marks that begin with `start`, for example all `client: `. */
  marks(start: string): string[] {
    return this.blocks.flatMap(({ mark }) => (mark.startsWith(start) ? [mark] : []))
  }

  /** Returns the marks of the unused blocks. */
  get left(): string[] {
    return [...this.#left]
  }
}

/** Returns the fenced blocks. A block without a mark has an empty one. */
function blocksOf(text: string): Block[] {
  const fenced = text.matchAll(/(?:<!-- ([^\n]*?) -->\n)?```(\w+)\n(.*?)```/gs)
  return [...fenced].map(([, mark = '', language = '', text = '']) => ({ mark, language, text }))
}
