// Text → a file that holds it whole or is as it was, readable by its owner alone. Writes one file.
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { ArgumentError } from '../index.js'

/**
 * Replaces a file at once: one that ends half-way, or an empty one, would be loaded at the next boot as a table without doors.
 *
 * @throws ArgumentError where the file cannot be written.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new ArgumentError(`knocklib: ${path}: ${(cause as Error).message}`, { cause })
  }
}
