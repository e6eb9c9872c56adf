// A spec's file → the document in it, under the table's name from the command line. Reads one file.
import { type KnockSpec, loadDocument } from '../../index.js'
import { type Options, textOf } from './command.js'

/** Not validated yet: the library's calls do that first, and say all that is wrong. */
export async function loadSpec(path: string, options: Options): Promise<KnockSpec> {
  const document = await loadDocument(path, 'loadSpec')
  const table = textOf(options, 'table')
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
  return (table === undefined || !isObject ? document : { ...document, table }) as KnockSpec
}
