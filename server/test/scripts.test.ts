import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['.', 'server', 'console']
const left = new Set(['node_modules', 'dist', 'dist.new', '.git', '.data', 'build'])

const scripts = packages.flatMap((folder) => {
  const manifest = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as {
    readonly scripts: Record<string, string>
  }
  return Object.entries(manifest.scripts).map(([name, command]) => ({ folder, name, command }))
})

let clone: string
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'filegraph-clone-'))
  cpSync(repository, clone, { recursive: true, filter: (path) => !left.has(basename(path)) })
})
afterAll(() => rmSync(clone, { recursive: true, force: true }))

/** No package is installed and no registry answers, so a script can only fail: how it fails tells what it did first. */
const run = (folder: string, command: string) =>
  new Promise<string>((resolve) => {
    const { PATH = '', HOME = '' } = process.env
    const env = {
      PATH,
      HOME,
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
      npm_config_cache: join(clone, 'cache'),
    }
    execFile('sh', ['-c', command], { cwd: join(clone, folder), env }, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    )
  })

it.each(scripts)('installs packages before it needs one: $name in $folder', async ({ folder, command }) => {
  const said = await run(folder, command)
  expect(said).toContain('Installing packages')
  expect(said).toContain('The packages could not be fetched')
  expect(said).not.toMatch(/Cannot find package|ERR_MODULE_NOT_FOUND|command not found|: not found/)
})
