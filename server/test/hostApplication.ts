import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { TestService } from './testService.ts'

/** An application in the same database, with a login, a schema and a table `shop.invoices (id, note)` of its own. */
export interface HostApplication {
  readonly role: string
  readonly url: string
  readonly sql: postgres.Sql
  /** Runs `work` in a transaction of the application in which the tenant is set. */
  inTenant<T>(tenantId: string, work: (tx: postgres.TransactionSql) => Promise<T>, userId?: string): Promise<T>
  close(): Promise<void>
}

export async function startHostApplication(service: TestService): Promise<HostApplication> {
  const role = `host_app_${randomBytes(4).toString('hex')}`
  const administrator = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  await administrator.unsafe(`create role ${role} login password 'test'`)
  await administrator.unsafe(`grant filegraph_host to ${role}`)
  await administrator.unsafe(`create schema shop authorization ${role}`)
  const url = Object.assign(new URL(service.testDatabase.superuserUrl), { username: role, password: 'test' }).href
  const sql = postgres(url, { max: 4, onnotice: () => undefined })
  await sql`create table shop.invoices (id text primary key, note text)`
  return {
    role,
    url,
    sql,
    inTenant: (tenantId, work, userId) =>
      sql.begin(async (tx) => {
        await tx`select filegraph.set_tenant(${tenantId}, ${userId ?? null})`
        return work(tx)
      }) as Promise<never>,
    close: async () => {
      await sql.end({ timeout: 5 })
      await administrator.unsafe(`drop owned by ${role} cascade`)
      await administrator.unsafe(`drop role ${role}`)
      await administrator.end()
    },
  }
}

/** Ends a transaction of a test as a failure of the application would. */
export const changeOfMind = new Error('The application changed its mind')
