import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CorsRule } from './corsRule.ts'
import { syncDirectoryNow } from './syncDirectory.ts'

/** The bucket's CORS rules, kept in one small file. */
export interface CorsStore {
  /** Empty when there are none. */
  rules(): readonly CorsRule[]
  replace(rules: readonly CorsRule[]): void
}

export function openCorsStore(path: string): CorsStore {
  let current = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CorsRule[]) : []
  return {
    rules: () => current,
    replace(rules) {
      const unfinished = `${path}.new`
      if (rules.length > 0) {
        writeFileSync(unfinished, JSON.stringify(rules), { flush: true, mode: 0o600 })
        renameSync(unfinished, path)
      } else {
        rmSync(path, { force: true })
      }
      syncDirectoryNow(dirname(path))
      current = [...rules]
    },
  }
}
