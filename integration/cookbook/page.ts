// A page with marked blocks → its specs, and its command lines for the server and for clients.
// Reads one file.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDER = 'docs/start/cookbook/'

export interface Block {
  /** What the comment before the block says, such as `client: knock`; readers do not see it. */
  readonly mark: string
  readonly language: string
  readonly text: string
}

/** The pages' names, without their ending. */
export const pageNames = (): string[] =>
  readdirSync(`${ROOT}${FOLDER}`).flatMap((name) =>
    /^[a-z].*\.md$/.test(name) ? [name.slice(0, -3)] : [],
  )

/** One recipe. It knows which of its blocks have been asked for. */
export class Page {
  readonly name: string
  readonly text: string
  readonly blocks: readonly Block[]
  readonly #left: Set<string>

  /** @param path where it is in the project; default: a page of the cookbook. */
  constructor(name: string, path = `${FOLDER}${name}.md`) {
    this.name = name
    this.text = readFileSync(`${ROOT}${path}`, 'utf8')
    this.blocks = blocksOf(this.text)
    this.#left = new Set(this.blocks.map(({ mark }) => mark))
  }

  /** The text of the block with this mark. */
  block(mark: string): string {
    const block = this.blocks.find((block) => block.mark === mark)
    if (!block) throw new Error(`${this.name}: no block is marked ${mark}`)
    this.#left.delete(mark)
    return block.text
  }

  /** The marks of the blocks that begin so: all clients', say. */
  marks(start: string): string[] {
    return this.blocks.flatMap(({ mark }) => (mark.startsWith(start) ? [mark] : []))
  }

  /** The blocks that nobody has asked for. */
  get left(): string[] {
    return [...this.#left]
  }
}

/** Fenced blocks; one without a mark of its own has an empty one. */
function blocksOf(text: string): Block[] {
  const fenced = text.matchAll(/(?:<!-- ([^\n]*?) -->\n)?```(\w+)\n(.*?)```/gs)
  return [...fenced].map(([, mark = '', language = '', text = '']) => ({ mark, language, text }))
}
