// A spec's file and the options → the valid spec in it, with the table's name from `--table`. Reads
// one file.
import { readDocument } from '../../files/spec-file.js'
import type { ValidSpec } from '../../index.js'
import { requireValid } from '../../spec/validate.js'
import { type Options, textOf } from './command.js'

const OPERATION = 'loadSpec'

/**
 * Reads and validates a spec.
 *
 * @throws DocumentError if the file is neither JSON nor YAML.
 * @throws SpecError with every problem of the spec.
 * @throws ArgumentError if the file cannot be read.
 */
export async function loadSpec(path: string, options: Options): Promise<ValidSpec> {
  const document = await readDocument(path, OPERATION)
  const table = textOf(options, 'table')
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
  return requireValid(
    table === undefined || !isObject ? document : { ...document, table },
    OPERATION,
  )
}
