// Text → a file that holds it whole or is as it was, readable by its owner alone. Writes one file.
import { replaceFile } from '../../files/replace.js'

/**
 * Replaces a file at once: one that ends half-way, or an empty one, would be loaded at the next
 * boot as a table without doors. A pipe or a device is written to, as by a shell's `>`.
 *
 * @throws ArgumentError if it cannot be written.
 */
export const writeWhole = (path: string, text: string): Promise<void> =>
  replaceFile(path, [text], { operation: 'knocklib', what: 'the file', special: 'write' })
