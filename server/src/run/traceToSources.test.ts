import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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

/** A file of one line, which is line 3, column 1 of its source. https://tc39.es/ecma426/ */
function writeCompiled(name: string): void {
  const map = { version: 3, sources: ['../src/written.ts'], names: [], mappings: 'AAEA' }
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), "export function fail() { throw new TypeError('broken') }\n")
  writeFileSync(join(folder, `${name}.map`), JSON.stringify(map))
}

it('names the line of the source in the stack of a compiled file', async () => {
  writeCompiled('compiled.mjs')
  const [head, first] = (await stackFrom('compiled.mjs')).split('\n')
  expect(head).toBe('TypeError: broken')
  expect(first).toBe(`    at fail (${pathToFileURL(join(folder, '../src/written.ts')).href}:3:1)`)
})

it('does not change the frames of dependencies, whose maps can be large', async () => {
  writeCompiled('node_modules/other/compiled.mjs')
  const [, first] = (await stackFrom('node_modules/other/compiled.mjs')).split('\n')
  expect(first).toContain('/node_modules/other/compiled.mjs:1:32')
})

it('does not change frames whose map cannot be read', async () => {
  writeFileSync(join(folder, 'torn.mjs'), "export function fail() { throw new TypeError('broken') }\n")
  writeFileSync(join(folder, 'torn.mjs.map'), '{"version": 3, "mapp')
  const [, first] = (await stackFrom('torn.mjs')).split('\n')
  expect(first).toBe(`    at fail (${pathToFileURL(join(folder, 'torn.mjs')).href}:1:32)`)
})
