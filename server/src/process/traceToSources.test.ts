import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const serverFolder = fileURLToPath(new URL('../..', import.meta.url))
const tracing = new URL('traceToSources.ts', import.meta.url).href
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trace-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The stack of an error that `name` throws, in a process of its own: there is one way to write stacks in each. */
async function stackFrom(name: string): Promise<string> {
  const script = `
    const { traceToSources } = await import('${tracing}')
    const { fail } = await import('${pathToFileURL(join(folder, name)).href}')
    traceToSources()
    try { fail() } catch (error) { console.log(error.stack) }`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: serverFolder })
  return stdout
}

it('names the line of the source in the stack of a compiled file', async () => {
  writeFileSync(join(folder, 'compiled.mjs'), "export function fail() { throw new TypeError('broken') }\n")
  // The only line of the file is line 3, column 1 of its source. https://tc39.es/ecma426/
  const map = { version: 3, sources: ['../src/written.ts'], names: [], mappings: 'AAEA' }
  writeFileSync(join(folder, 'compiled.mjs.map'), JSON.stringify(map))
  const [head, first] = (await stackFrom('compiled.mjs')).split('\n')
  expect(head).toBe('TypeError: broken')
  expect(first).toBe(`    at fail (${pathToFileURL(join(folder, '../src/written.ts')).href}:3:1)`)
})

it('leaves frames alone whose map cannot be read', async () => {
  writeFileSync(join(folder, 'torn.mjs'), "export function fail() { throw new TypeError('broken') }\n")
  writeFileSync(join(folder, 'torn.mjs.map'), '{"version": 3, "mapp')
  const [, first] = (await stackFrom('torn.mjs')).split('\n')
  expect(first).toBe(`    at fail (${pathToFileURL(join(folder, 'torn.mjs')).href}:1:32)`)
})
