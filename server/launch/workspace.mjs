import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))
export const serverFolder = join(repository, 'server')
export const consoleFolder = join(repository, 'console')

/** What was installed and built, by fingerprints; gone with the packages themselves. */
export const stampFolder = join(repository, 'node_modules', '.filegraph')

/** The command cannot go on. The message is for people; no stack is shown with it. */
export class LaunchFailed extends Error {}

/** Standard output belongs to the command itself. */
export const say = (text) => process.stderr.write(`${text}\n`)

/** Runs the work of a command; what fails on purpose ends in its message and exit code 1. */
export async function launch(work) {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof LaunchFailed)) throw error
    say(error.message)
    process.exitCode = 1
  }
}
