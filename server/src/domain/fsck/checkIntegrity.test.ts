import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askForIntent, startTestService, type TestService, uploadFile } from '../../../test/testService.ts'
import { cleanupKindNames } from '../../jobs/sweeps.ts'
import { systemPrincipal } from '../context.ts'
import { attachFile, detachFile } from '../files/attachments/attachments.ts'
import { deleteFile, holdFile, releaseFile, renameFile, restoreFile } from '../files/changeFile.ts'
import { purgeFile } from '../sweeps/purge/purgeFile.ts'
import { createTenant } from '../tenants/createTenant.ts'
import { cancelUpload } from '../uploads/intents/releaseUpload.ts'
import { findingsIn, violationsIn } from './testing/violationsIn.ts'
import { uuidOf } from './testing/workbench.ts'

let service: TestService
beforeEach(async () => {
  service = await startTestService()
  service.cleanup.purgeGraceMs = 0
  service.cleanup.orphanGraceMs = 0
})
afterEach(() => service.close())

async function openTenant(slug: string) {
  const { id } = await createTenant(service, { slug, name: slug, policy: { trashDays: 0 } })
  return { id, slug, ctx: service.contextOf(systemPrincipal(id)) }
}

const owner = { ownerType: 'invoice', ownerId: '1', slot: 'default' }

/** A bit of everything; answers with the file that stays. */
async function liveIn({ ctx }: Awaited<ReturnType<typeof openTenant>>): Promise<string> {
  const { principal } = ctx
  const first = await uploadFile(service, principal, { name: 'one.txt' })
  const id = uuidOf(first)
  await renameFile(ctx, id, 'two.txt')
  await uploadFile(service, principal, { name: 'three.txt', content: 'three', fileId: first.id })
  await attachFile(ctx, id, owner)
  await attachFile(ctx, id, { ...owner, ownerId: '2' })
  await detachFile(ctx, id, owner)
  const gone = uuidOf(await uploadFile(service, principal, { content: 'gone' }))
  await deleteFile(ctx, gone)
  await restoreFile(ctx, gone)
  await holdFile(ctx, gone, 'court')
  await releaseFile(ctx, gone)
  await deleteFile(ctx, gone)
  await purgeFile(ctx, gone)
  await deleteFile(ctx, uuidOf(await uploadFile(service, principal, { content: 'trashed' })))
  const { uploadIntent } = await askForIntent(service, principal)
  await cancelUpload(ctx, uuidOf(uploadIntent))
  await askForIntent(service, principal, { content: 'to come' })
  return id
}

describe('the check of integrity', () => {
  it('finds nothing after many changes and all sweeps', async () => {
    const tenant = await openTenant('busy')
    await liveIn(tenant)
    expect(await violationsIn(service)).toEqual([])
    for (const kind of cleanupKindNames) {
      await service.sweep(tenant.id, kind)
      expect([kind, ...(await violationsIn(service))]).toEqual([kind])
    }
    await liveIn(tenant)
    expect(await findingsIn(service)).toEqual([])
  })

  it('changes nothing, and reports that the bucket is not marked yet', async () => {
    await liveIn(await openTenant('untouched'))
    service.statements.length = 0
    const found = await findingsIn(service)
    expect(found.map(({ severity, invariant }) => [severity, invariant])).toEqual([['INFORMATION', 'BUCKET']])
    const changes = service.statements.filter((text) => !/^\s*(begin read only|begin|commit|select)\b/.test(text))
    expect(changes.filter((text) => !text.includes('"installation"'))).toEqual([])
    expect((await service.blobs.list({ prefix: 'filegraph/' })).objects).toEqual([])
  })

  it('names the tenant with the violation, and no other', async () => {
    const [sound, broken] = [await openTenant('sound'), await openTenant('broken')]
    await liveIn(sound)
    const file = await liveIn(broken)
    const { objects } = await service.blobs.list({ prefix: `org/${broken.id}/` })
    await service.blobs.delete(objects.map(({ key }) => key))
    const found = (await findingsIn(service)).filter(({ severity }) => severity === 'VIOLATION')
    expect(new Set(found.map(({ tenant }) => tenant?.slug))).toEqual(new Set(['broken']))
    expect(found.filter(({ message }) => message.includes(file))).toHaveLength(2)
    expect(await violationsIn(service, { tenant: sound })).toEqual([])
  })

  it('finds nothing during concurrent changes', async () => {
    const tenant = await openTenant('moving')
    await service.sweep(tenant.id, 'RECONCILE')
    const state = { isOver: false }
    const lives = Promise.all(Array.from({ length: 3 }, () => liveIn(tenant))).finally(() => {
      state.isOver = true
    })
    const told: string[] = []
    for (let checks = 0; !state.isOver || checks < 2; checks += 1) {
      told.push(...(await violationsIn(service)))
      for (const kind of ['DELETE_BLOBS', 'RECONCILE'] as const) await service.sweep(tenant.id, kind)
    }
    await lives
    expect(told).toEqual([])
  })
})
