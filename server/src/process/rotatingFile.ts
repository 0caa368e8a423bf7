import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Something that a logger writes lines to. */
export interface LogDestination {
  write(line: string): void
  close(): void
}

/**
 * A log file of bounded size: when it is full it becomes `<path>.1`, in place of the one before, and a new one begins.
 * Written at once, so that the last line before a crash is there. A full disk loses lines and harms nothing else.
 */
export function openRotatingFile(path: string, maxBytes: number): LogDestination {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const open = () => {
    const descriptor = openSync(path, 'a', 0o600)
    return { descriptor, byteSize: fstatSync(descriptor).size }
  }
  let file = open()
  return {
    write(line) {
      try {
        if (file.byteSize > 0 && file.byteSize + line.length > maxBytes) {
          closeSync(file.descriptor)
          renameSync(path, `${path}.1`)
          file = open()
        }
        file.byteSize += writeSync(file.descriptor, line)
      } catch (error) {
        process.emitWarning(`A log line was lost: ${String(error)}`)
      }
    },
    close: () => closeSync(file.descriptor),
  }
}
