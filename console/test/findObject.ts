import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The path of the object that holds `text` in the local bucket of an instance. */
export async function findObject(directory: string, text: string): Promise<string> {
  for (const entry of await readdir(join(directory, 'bucket'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && (await readFile(path)).includes(text)) return path
  }
  throw new Error(`No object holds “${text}”`)
}
