import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Filegraph, runFilegraph, temporaryFolder } from '../../src/cli/testing/filegraph.ts'
import { KillClient } from './killClient.ts'

/** The whole product with its own database and bucket, in use while it is backed up. */
const base = temporaryFolder()
const backups = mkdtempSync(join(tmpdir(), 'filegraph-backups-'))
const contents = new Map<string, string>()
let product: Filegraph
let client: KillClient
let url = ''

const environmentIn = (folder: string) => ({
  FILEGRAPH_DATA_DIR: join(base.path, folder),
  PORT: '0',
  RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
  SEED_DEMO: 'false',
  LOG_LEVEL: 'warn',
})

const original = environmentIn('original')
const filesBefore = 300

async function run(environment: Record<string, string>, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runFilegraph(args, environment)
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}

async function upload(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const content = `file ${contents.size} ${'x'.repeat(contents.size % 50)}`
    contents.set(await client.upload(`key-${contents.size}`, content), content)
  }
}

const objectsIn = (folder: string) =>
  existsSync(join(folder, 'objects'))
    ? readdirSync(join(folder, 'objects'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name))
    : []

/** Kills the process as soon as the condition holds. Fails if it ended before. */
async function killWhen(process: Filegraph, isThere: () => boolean): Promise<void> {
  while (!isThere()) {
    if (process.child.exitCode !== null)
      throw new Error(`It was not in the middle: ${process.stdout} ${process.stderr}`)
    await sleep(5)
  }
  await process.stop('SIGKILL')
}

beforeAll(async () => {
  product = new Filegraph(['start'], original)
  url = await product.url()
  await run(original, 'tenant', 'create', 'acme', '--name', 'Acme')
  const key = await run(original, 'key', 'create', '--tenant', 'acme', '--name', 'load', '--role', 'OWNER')
  client = new KillClient(key.trim(), () => url)
  await upload(filesBefore)
}, 300_000)

afterAll(async () => {
  await product.stop()
  base.remove()
  rmSync(backups, { recursive: true, force: true })
}, 60_000)

describe('a backup of the running product', () => {
  it('continues after it was killed, while files are uploaded', { timeout: 300_000 }, async () => {
    await killWhen(new Filegraph(['backup', backups], original), () => objectsIn(backups).length > filesBefore / 10)
    expect(await runFilegraph(['restore', backups], environmentIn('none'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no whole backup'),
    })
    const kept = objectsIn(backups).filter((name) => !name.endsWith('.part')).length
    const load = { isOver: false }
    const uploads = (async () => {
      while (!load.isOver) await upload(1)
    })()
    const { copied, objects } = JSON.parse(await run(original, 'backup', backups, '--json')) as {
      copied: { count: number }
      objects: number
    }
    load.isOver = true
    await uploads
    expect(objects).toBeGreaterThanOrEqual(filesBefore)
    expect(copied.count).toBeLessThanOrEqual(objects - kept)
    await run(original, 'backup', backups, '--verify')
  })
})

describe('a restore into a new installation', () => {
  it('is shown as unfinished after it was killed', { timeout: 300_000 }, async () => {
    const restored = environmentIn('restored')
    const bucket = join(base.path, 'restored', 'bucket')
    const sent = () => existsSync(bucket) && readdirSync(bucket, { recursive: true }).length > filesBefore / 2
    await killWhen(new Filegraph(['restore', backups], restored), sent)
    const doubts = await runFilegraph(['fsck'], environmentIn('restored'))
    expect(doubts).toMatchObject({ code: 1, stdout: expect.stringContaining('has not finished') })
  })

  it('continues after it was killed, and serves the bytes of each file to its user', { timeout: 300_000 }, async () => {
    const restored = environmentIn('again')
    await killWhen(new Filegraph(['restore', backups], restored), () => existsSync(join(base.path, 'again', 'bucket')))
    await run(restored, 'restore', backups)
    expect(await run(restored, 'fsck', '--json')).toContain('"violations":0')
    await product.stop()
    product = new Filegraph(['start'], restored)
    url = await product.url()
    const files = await client.list('READY')
    expect(files.length).toBeGreaterThanOrEqual(filesBefore)
    for (const { id, downloadUrl } of files as { id: string; downloadUrl: string }[]) {
      expect(await (await fetch(downloadUrl)).text()).toBe(contents.get(id))
    }
    await upload(1)
    expect(await run(restored, 'fsck', '--json')).toContain('"violations":0')
  })
})
