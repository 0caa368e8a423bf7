import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeOfMind, type HostApplication, startHostApplication } from './hostApplication.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant
let stranger: TestTenant
let host: HostApplication
let superuser: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  stranger = await service.createTenant()
  host = await startHostApplication(service)
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
})

afterAll(async () => {
  await superuser.end()
  await host.close()
  await service.close()
})

const plain = (id: string) => Buffer.from(id, 'base64url').toString().slice('File:'.length)

const look = async (id: string): Promise<Data> => {
  const query = `query ($id: ID!) { file(id: $id) {
    attachmentCount attachments { nodes { ownerType ownerId slot attachedBy { kind name } } } } }`
  return (await service.ask(tenant.viewer, query, { id })).data.file
}

const historyOf = async (id: string) =>
  superuser`select l.action, p.kind, p.name, p.subject, l.payload, l.user_agent from audit_log l
    join principals p on p.tenant_id = l.tenant_id and p.id = l.actor_id
    where l.subject_id = ${plain(id)} order by l.id`

const actionsOf = async (id: string) => (await historyOf(id)).map((row) => row['action'])
const eventsOf = async (id: string) =>
  (await superuser`select type from events where subject_id = ${plain(id)} order by id`).map((row) => row['type'])

const invoices = async () => (await host.sql`select id from shop.invoices order by id`).map((row) => row['id'])

describe('a row of a host application and its attachment', () => {
  it('exist together after a commit, with an entry and an event in the name of the host application', async () => {
    const file = await uploadFile(service, tenant.member)
    const isNew = await host.inTenant(tenant.id, async (tx) => {
      await tx`insert into shop.invoices values ('committed')`
      return tx`select filegraph.attach_file(${file.id}, 'invoice', 'committed', 'scan') as once,
        filegraph.attach_file(${file.id}, 'invoice', 'committed', 'scan') as again`
    })
    expect(isNew).toEqual([{ once: true, again: false }])
    expect(await invoices()).toContain('committed')
    expect(await look(file.id)).toEqual({
      attachmentCount: 1,
      attachments: {
        nodes: [
          {
            ownerType: 'invoice',
            ownerId: 'committed',
            slot: 'scan',
            attachedBy: { kind: 'SYSTEM', name: 'Host application' },
          },
        ],
      },
    })
    expect(await historyOf(file.id)).toMatchObject([
      { action: 'file.uploaded' },
      {
        action: 'file.attached',
        kind: 'SYSTEM',
        name: 'Host application',
        payload: { ownerType: 'invoice', ownerId: 'committed', slot: 'scan' },
        user_agent: 'host application',
      },
    ])
    expect(await eventsOf(file.id)).toEqual(['file.uploaded', 'file.attached'])
  })

  it('are both missing after a rollback, with the entry and the event', async () => {
    const file = await uploadFile(service, tenant.member)
    const attempt = host.inTenant(tenant.id, async (tx) => {
      await tx`insert into shop.invoices values ('rolled back')`
      await tx`select filegraph.attach_file(${file.id}, 'invoice', 'rolled back')`
      throw changeOfMind
    })
    await expect(attempt).rejects.toBe(changeOfMind)
    expect(await invoices()).not.toContain('rolled back')
    expect(await look(file.id)).toMatchObject({ attachmentCount: 0, attachments: { nodes: [] } })
    expect(await actionsOf(file.id)).toEqual(['file.uploaded'])
    expect(await eventsOf(file.id)).toEqual(['file.uploaded'])
  })

  it('roll back to a savepoint together, and earlier work stays', async () => {
    const file = await uploadFile(service, tenant.member)
    await host.inTenant(tenant.id, async (tx) => {
      await tx`select filegraph.attach_file(${file.id}, 'invoice', 'before')`
      const undone = tx.savepoint(async (inner) => {
        await inner`insert into shop.invoices values ('undone')`
        await inner`select filegraph.detach_file(${file.id}, 'invoice', 'before')`
        await inner`select filegraph.attach_file(${file.id}, 'invoice', 'undone')`
        throw changeOfMind
      })
      await expect(undone).rejects.toBe(changeOfMind)
      await tx`insert into shop.invoices values ('before')`
    })
    expect(await look(file.id)).toMatchObject({ attachmentCount: 1, attachments: { nodes: [{ ownerId: 'before' }] } })
    expect(await invoices()).not.toContain('undone')
    expect(await eventsOf(file.id)).toEqual(['file.uploaded', 'file.attached'])
  })

  it('replace each other in one transaction: the former file of the slot goes to the trash', async () => {
    const input = { name: 'old.txt', contentType: 'text/plain', content: 'old' }
    const [old, next] = [await uploadFile(service, tenant.member, input), await uploadFile(service, tenant.member)]
    const keepWhileAttached =
      'mutation ($id: ID!) { changeRetention(input: { id: $id, retention: WHILE_ATTACHED }) { __typename } }'
    await service.ask(tenant.member, keepWhileAttached, { id: old.id })
    await host.inTenant(tenant.id, async (tx) => {
      await tx`select filegraph.replace_attachment(${old.id}, 'user', '7', 'avatar')`
      await tx`select filegraph.replace_attachment(${plain(next.id)}, 'user', '7', 'avatar')`
    })
    expect(await look(old.id)).toBeNull()
    expect(await look(next.id)).toMatchObject({ attachmentCount: 1, attachments: { nodes: [{ slot: 'avatar' }] } })
    expect((await actionsOf(old.id)).slice(-3)).toEqual(['file.attached', 'file.detached', 'file.soft_deleted'])
    expect((await eventsOf(old.id)).slice(-3)).toEqual(['file.attached', 'file.detached', 'file.soft_deleted'])
    const attach = host.inTenant(tenant.id, (tx) => tx`select filegraph.attach_file(${old.id}, 'user', '7')`)
    await expect(attach).rejects.toMatchObject({ code: '55000', message: expect.stringContaining('in the trash') })
    const detach = await host.inTenant(
      tenant.id,
      (tx) => tx`select filegraph.detach_file(${next.id}, 'user', '7') as done`,
    )
    expect(detach).toEqual([{ done: false }])
  })
})

describe('the actor', () => {
  it('is the user of a token of the host application', async () => {
    const grace = { ...tenant.member, id: randomUUID(), kind: 'EXTERNAL' as const, subject: 'user-7', name: 'Grace' }
    const file = await uploadFile(service, grace)
    await host.inTenant(tenant.id, (tx) => tx`select filegraph.attach_file(${file.id}, 'invoice', '1')`, 'user-7')
    const entry = { action: 'file.attached', kind: 'EXTERNAL', name: 'Grace', subject: 'user-7' }
    expect((await historyOf(file.id)).at(-1)).toMatchObject(entry)
  })

  it('is the host application for an unknown user, and for one of another tenant', async () => {
    const elsewhere = {
      ...stranger.member,
      id: randomUUID(),
      kind: 'EXTERNAL' as const,
      subject: 'user-8',
      name: 'Eve',
    }
    await uploadFile(service, elsewhere)
    const file = await uploadFile(service, tenant.member)
    await host.inTenant(tenant.id, (tx) => tx`select filegraph.attach_file(${file.id}, 'invoice', '1')`, 'user-8')
    const entry = { kind: 'SYSTEM', name: 'Host application', user_agent: 'host application, user user-8' }
    expect((await historyOf(file.id)).at(-1)).toMatchObject(entry)
  })

  it('is forgotten at the end of its transaction, as the tenant is', async () => {
    const file = await uploadFile(service, tenant.member)
    const reserved = await host.sql.reserve()
    await reserved`begin`
    await reserved`select filegraph.set_tenant(${tenant.id}, 'user-7')`
    await reserved`commit`
    await expect(reserved`select filegraph.attach_file(${file.id}, 'invoice', '1')`).rejects.toMatchObject({
      code: '55000',
      message: 'No tenant is set: call filegraph.set_tenant first, in this transaction',
    })
    reserved.release()
  })
})

describe('a transaction at a higher isolation level', () => {
  it.each(['repeatable read', 'serializable'])(
    'succeeds alone, and fails with 40001 against another: %s',
    async (level) => {
      const file = await uploadFile(service, tenant.member)
      const attach = (tx: postgres.ISql, owner: string) =>
        tx`select filegraph.attach_file(${file.id}, 'invoice', ${owner})`
      const late = host.sql.begin(`isolation level ${level}`, async (tx) => {
        await tx`select filegraph.set_tenant(${tenant.id})`
        await tx`select count(*) from shop.invoices`
        await host.inTenant(tenant.id, (other) => attach(other, 'first'))
        await attach(tx, 'second')
      })
      await expect(late).rejects.toMatchObject({ code: '40001' })
      await host.sql.begin(`isolation level ${level}`, async (tx) => {
        await tx`select filegraph.set_tenant(${tenant.id})`
        await attach(tx, 'again')
      })
      expect(await look(file.id)).toMatchObject({
        attachmentCount: 2,
        attachments: { nodes: [{ ownerId: 'first' }, { ownerId: 'again' }] },
      })
    },
  )
})
