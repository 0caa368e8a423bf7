import './requireNode.mjs'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled } from './ensureInstalled.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
import { LaunchFailed, launch, repository, serverFolder } from './workspace.mjs'

/**
 * Whether the migrations fit together, and whether the tables in the code are those that they make. The second is asked by
 * generating into a copy: nothing may come of it.
 */
await launch(async () => {
  await ensureInstalled()
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-migrations-'))
  try {
    cpSync(join(repository, 'drizzle'), folder, { recursive: true })
    await runKit('check', folder)
    const before = readdirSync(folder)
    await runKit('generate', folder)
    const made = readdirSync(folder).filter((name) => !before.includes(name))
    if (made.length > 0) throw new LaunchFailed('The tables differ from the migrations. Run "npm run db:generate".')
    console.log('ok    migrations')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** It may ask whether a column was renamed, which nobody answers here, and then fails. */
async function runKit(command, folder) {
  const script = commandOf(serverFolder, 'drizzle-kit')
  const env = { ...process.env, DRIZZLE_FOLDER: folder }
  const { code, output } = await runProgram(process.execPath, [script, command], {
    cwd: serverFolder,
    env,
    quiet: true,
  })
  if (code !== 0 || /\berror\b/i.test(output))
    throw new LaunchFailed(`${output.trim()}\ndrizzle-kit ${command} failed.`)
}
