// Text → a file with mode 0600 that holds all of it, or is unchanged. Writes one file.
import { replaceFile } from '../../files/replace.js'

/**
 * Replaces a file atomically: half a file, or an empty one, would be loaded at the next boot as a
 * table without doors. Writes into a pipe or a device, as a shell's `>` does.
 *
 * @throws ArgumentError if it cannot be written.
 */
export const writeWhole = (path: string, text: string): Promise<void> =>
  replaceFile(path, [text], { operation: 'knocklib', what: 'the file', special: 'write' })
