import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository, stampFolder } from './workspace.mjs'

/**
 * One hash over the content of files and folders (paths from the repository), names included. Content and not times: a
 * checkout changes those without changing anything.
 *
 * @param {readonly string[]} paths
 * @param {(path: string) => boolean} [isWanted] called with the path of each file and folder inside a folder
 */
export function fingerprintOf(paths, isWanted = () => true) {
  const hash = createHash('sha256').update(`${process.version} ${process.platform} ${process.arch}\n`)
  for (const path of paths.flatMap((each) => filesAt(each, isWanted))) {
    const content = readFileSync(join(repository, path))
    hash.update(`${path} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

function filesAt(path, isWanted) {
  const full = join(repository, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  return readdirSync(full)
    .toSorted()
    .map((name) => `${path}/${name}`)
    .filter(isWanted)
    .flatMap((inner) => filesAt(inner, isWanted))
}

/** Whether a step was last finished with this fingerprint. */
export function isStamped(step, fingerprint) {
  try {
    return readFileSync(join(stampFolder, step), 'utf8') === fingerprint
  } catch {
    return false
  }
}

/** Before a step begins: should it be cut off, what it left behind counts for nothing. */
export const forget = (step) => rmSync(join(stampFolder, step), { force: true })

export function stamp(step, fingerprint) {
  mkdirSync(stampFolder, { recursive: true })
  writeFileSync(join(stampFolder, step), fingerprint)
}
