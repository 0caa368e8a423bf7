import { expect } from 'vitest'
import type { Principal } from '../../src/domain/context.ts'
import { restoreFile } from '../../src/domain/files/changeFile.ts'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { type Data, sha256 } from '../testService.ts'
import type { FileModel } from './model.ts'
import { settle } from './modelObserve.ts'
import { endWaits } from './modelRun.ts'
import { send, sweep } from './modelSend.ts'
import { contentOf, type TenantWorld, turnClock, type World } from './modelWorld.ts'

/** Everything that is promised, looked at from outside, after the sweeps have had the time to do all they have to. */
export async function checkEverything(world: World): Promise<void> {
  turnClock(world, 0)
  world.count.checks += 1
  for (const own of world.tenants) await drain(world, own)
  for (const own of world.tenants) {
    await checkListings(world, own)
    await checkUsage(world, own)
    await checkBucket(world, own)
    await checkForeign(world, own)
  }
  expect(await violationsIn(world.service)).toEqual([])
}

async function drain(world: World, own: TenantWorld): Promise<void> {
  const none = { purge: null, expire: null, clockHours: 0 }
  await endWaits(world)
  await settle(world, own, [], { ...none, expire: await sweep(world, own, 'EXPIRE_UPLOADS') })
  await settle(world, own, [], { ...none, purge: await sweep(world, own, 'PURGE_FILES') })
  await sweep(world, own, 'RECONCILE')
  await endWaits(world)
  const ended = [await sweep(world, own, 'DELETE_BLOBS'), await sweep(world, own, 'RECONCILE')]
  expect(ended).toEqual(['OK', 'OK'])
  await settle(world, own, [], none)
}

const filesOf = ({ state }: TenantWorld, wanted: FileModel['state']): FileModel[] =>
  [...state.files.values()].filter((file) => file.state === wanted)

/** As the first reader after a cut connection does: once more. */
async function ask(world: World, who: Principal, query: string, variables?: Record<string, unknown>): Promise<Data> {
  const { data, errors } = await world.service.ask(who, query, variables)
  if (!errors) return data
  const again = await world.service.ask(who, query, variables)
  if (again.errors) throw new Error(JSON.stringify(again.errors))
  return again.data
}

const currentOf = ({ versions }: FileModel): string => versions.at(-1) ?? ''

const listing = `query ($state: FileState!) { files(first: 100, filter: { state: $state }) { nodes { id name } } }`

const whole = `query ($id: ID!) { file(id: $id) { name downloadUrl attachments(first: 20) { nodes { ownerType ownerId } }
  versions(first: 50) { nodes { name } } } }`

/** Live files are listed with their attachments, and every version reads back byte for byte; the trash is the trash. */
async function checkListings(world: World, own: TenantWorld): Promise<void> {
  const namesOf = (files: readonly FileModel[]) => files.map((file) => `${currentOf(file)}.txt`).sort()
  const list = async (state: 'READY' | 'TRASHED'): Promise<Data[]> =>
    (await ask(world, own.tenant.viewer, listing, { state })).files.nodes
  const [live, trash] = await Promise.all([list('READY'), list('TRASHED')])
  expect(trash.map(({ name }) => name).sort()).toEqual(namesOf(filesOf(own, 'TRASHED')))
  expect(live.map(({ name }) => name).sort()).toEqual(namesOf(filesOf(own, 'LIVE')))
  for (const { id } of live) await checkFile(world, own, id)
}

async function checkFile(world: World, own: TenantWorld, id: string): Promise<void> {
  const { file } = await ask(world, own.tenant.viewer, whole, { id })
  const model = filesOf(own, 'LIVE').find((one) => `${currentOf(one)}.txt` === file.name)
  const users = file.attachments.nodes.map(({ ownerType, ownerId }: Data) => `${ownerType}/${ownerId}`)
  expect(users.sort()).toEqual(model?.owners)
  const versions: Data[] = file.versions.nodes.toReversed()
  expect(versions.map(({ name }) => name)).toEqual(model?.versions.map((key) => `${key}.txt`))
  expect(await contentBehind(file.downloadUrl)).toBe(contentOf(file.name.replace('.txt', '')))
}

/** A connection that was kept open may have been closed by a bucket that went away in between: then once more. */
const contentBehind = async (url: string): Promise<string> => (await fetch(url).catch(() => fetch(url))).text()

async function checkUsage(world: World, own: TenantWorld): Promise<void> {
  const kept = [...filesOf(own, 'LIVE'), ...filesOf(own, 'TRASHED')]
  const versions = kept.flatMap((file) => file.versions)
  const pending = [...own.state.intents].filter(([, { state }]) => state === 'PENDING').map(([key]) => key)
  const bytesOf = (keys: readonly string[]) => keys.reduce((sum, key) => sum + contentOf(key).length, 0)
  const asked = '{ usage { fileCount trashedCount versionCount storedBytes reservedBytes } }'
  expect((await ask(world, own.tenant.viewer, asked)).usage).toEqual({
    fileCount: filesOf(own, 'LIVE').length,
    trashedCount: filesOf(own, 'TRASHED').length,
    versionCount: versions.length,
    storedBytes: bytesOf(versions),
    reservedBytes: bytesOf(pending),
  })
}

/** Exactly the bytes of what is kept, and of uploads under way; trashed bytes too. */
async function checkBucket({ service }: World, own: TenantWorld): Promise<void> {
  const kept = [...filesOf(own, 'LIVE'), ...filesOf(own, 'TRASHED')].flatMap((file) => file.versions)
  const pending = [...own.state.intents].filter(([, one]) => one.state === 'PENDING' && one.stored !== 'NOTHING')
  const keys = [...kept, ...pending.map(([key]) => key)].map((key) => own.uploads.get(key)?.objectKey)
  const { objects, continuationToken } = await service.blobs.list({ prefix: `org/${own.tenant.id}/` })
  expect(continuationToken).toBeNull()
  expect(objects.map(({ key }) => key)).toEqual(keys.sort())
  for (const key of kept) {
    expect((await service.blobs.hash(own.uploads.get(key)?.objectKey ?? ''))?.sha256).toBe(sha256(contentOf(key)))
  }
}

/** A caller of the other tenant finds nothing by its real id. */
async function checkForeign(world: World, own: TenantWorld): Promise<void> {
  const other = world.tenants.find((one) => one !== own)
  const [key] = [...own.state.files].find(([, { state }]) => state === 'LIVE') ?? []
  if (!other || key === undefined) return
  const id = Buffer.from(`File:${own.fileIds.get(key)}`).toString('base64url')
  const asked = 'query ($id: ID!) { file(id: $id) { name } }'
  expect((await ask(world, own.tenant.viewer, asked, { id })).file).not.toBeNull()
  expect((await ask(world, other.tenant.owner, asked, { id })).file).toBeNull()
}

/** At the end of a world: all that is in the trash comes back, and what was purged never does. */
export async function checkReturn(world: World): Promise<void> {
  for (const own of world.tenants) {
    const trashed = [...own.state.files].filter(([, { state }]) => state === 'TRASHED').map(([key]) => key)
    const sent = []
    for (const key of trashed) {
      const command = { verb: 'restore', key } as const
      sent.push({ command, answer: await send(world, own, command) })
      await settle(world, own, sent.splice(0), { purge: null, expire: null, clockHours: 0 })
    }
    for (const key of own.gone) {
      const restored = restoreFile(world.service.contextOf(own.tenant.admin), own.fileIds.get(key) ?? '')
      await expect(restored).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  }
  await checkEverything(world)
}
