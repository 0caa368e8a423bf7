import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findRunningInstance, FolderUnusable, openDataDirectory } from './dataDirectory.ts'
import { FolderInUse } from './folderLock.ts'

let base: string

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'filegraph-data-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

const script = (folder: string) => `
  const { lockFolder } = await import(${JSON.stringify(new URL('./folderLock.ts', import.meta.url).href)})
  try { await lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000) } catch (e) { console.log(e.name) }`

/** Another process that takes the folder; resolves with what became of it. */
function contender(folder: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script(folder)], {
    cwd: new URL('../../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = new Promise<string>((resolve) =>
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())),
  )
  const gone = new Promise((resolve) => child.once('exit', resolve))
  return {
    said,
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

it('is locked by one process at a time, and released', async () => {
  const folder = join(base, 'one')
  const directory = await openDataDirectory(folder)
  await expect(openDataDirectory(folder)).rejects.toThrow(FolderInUse)
  await expect(openDataDirectory(folder)).rejects.toThrow(new RegExp(`${folder}.*process ${process.pid}`))
  directory.release()
  ;(await openDataDirectory(folder)).release()
})

it('is taken over from a killed process', async () => {
  const folder = join(base, 'killed')
  ;(await openDataDirectory(folder)).release()
  const other = contender(folder)
  expect(await other.said).toBe('locked')
  await expect(openDataDirectory(folder)).rejects.toThrow(FolderInUse)
  await other.kill()
  ;(await openDataDirectory(folder)).release()
})

it('recognises an unrelated process with the same id', async () => {
  const folder = join(base, 'reused')
  ;(await openDataDirectory(folder)).release()
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: process.pid, start: 'long ago' }))
  ;(await openDataDirectory(folder)).release()
})

it('goes to exactly one of several processes that find a stale lock at once', { timeout: 60_000 }, async () => {
  const folder = join(base, 'race')
  ;(await openDataDirectory(folder)).release()
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 1, start: 'long ago' }))
  const others = Array.from({ length: 5 }, () => contender(folder))
  const said = await Promise.all(others.map((other) => other.said))
  expect(said.toSorted()).toEqual(['FolderInUse', 'FolderInUse', 'FolderInUse', 'FolderInUse', 'locked'])
  await Promise.all(others.map((other) => other.kill()))
})

it('refuses a path that is not a folder, in one line', async () => {
  const file = join(base, 'file')
  writeFileSync(file, '')
  await expect(openDataDirectory(join(file, 'inside'))).rejects.toThrow(FolderUnusable)
  await expect(openDataDirectory(join(file, 'inside'))).rejects.toThrow(/^[^\n]+$/)
})

it('keeps its secrets readable only for the owner', async () => {
  const folder = join(base, 'secrets')
  const first = await openDataDirectory(folder)
  first.release()
  const second = await openDataDirectory(folder)
  expect(second.secrets).toEqual(first.secrets)
  expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600)
  second.release()
})

it('names the missing fields of damaged secrets, shows no value, and creates no new ones', async () => {
  const folder = join(base, 'damaged')
  const directory = await openDataDirectory(folder)
  directory.release()
  const file = join(folder, 'secrets.json')
  const { bucketSecretAccessKey, postgresApiPassword: _left, ...others } = directory.secrets
  for (const [text, why] of [
    [JSON.stringify({ ...others, bucketSecretAccessKey }), /has no postgresApiPassword\./],
    [JSON.stringify({ ...others, bucketSecretAccessKey: 7 }), /has no postgresApiPassword, bucketSecretAccessKey\./],
    ['{"postgresSuper', /is not readable JSON\./],
  ] as const) {
    writeFileSync(file, text)
    const refusal = await openDataDirectory(folder).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(FolderUnusable)
    const { message } = refusal as Error
    expect(message).toMatch(why)
    for (const secret of Object.values(directory.secrets)) expect(message).not.toContain(secret)
    expect(readFileSync(file, 'utf8')).toBe(text)
  }
  writeFileSync(file, JSON.stringify(directory.secrets))
  ;(await openDataDirectory(folder)).release()
})

it.each(['', 'null', '{"pid":"1"}', '{"pid":1,"url":"http://localhost"}'])(
  'ignores an instance file that contains %s',
  async (text) => {
    const folder = join(base, 'unreadable')
    ;(await openDataDirectory(folder)).release()
    writeFileSync(join(folder, 'instance.json'), text)
    const directory = await openDataDirectory(folder)
    expect([directory.lastInstance, await findRunningInstance(folder)]).toEqual([null, null])
    directory.release()
  },
)

it('tells a command the address of the running instance, and forgets one that ended', async () => {
  const folder = join(base, 'instance')
  expect(await findRunningInstance(folder)).toBeNull()
  const directory = await openDataDirectory(folder)
  const instance = { pid: process.pid, url: 'http://localhost:1', postgresPort: 2, bucketPort: 3 }
  directory.writeInstance(instance)
  expect(await findRunningInstance(folder)).toEqual({ instance, secrets: directory.secrets })
  directory.release()
  expect(await findRunningInstance(folder)).toBeNull()
  expect(existsSync(join(folder, 'lock'))).toBe(false)
})
