import type { TenantDatabase } from '../../src/database/tenantDatabase.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'

/** Told before and after everything that leaves a trace: `before commit`, `after delete`. What it throws ends the verb. */
export type OnStep = (step: string) => Promise<void> | void

/** The database with a step on either side of each commit. What reads only leaves no trace, and has no step. */
export const withDatabaseSteps = (database: TenantDatabase, onStep: OnStep): TenantDatabase => ({
  ...database,
  write: async (tenantId, work) => {
    const result = await database.write(tenantId, async (tx) => {
      const done = await work(tx)
      await onStep('before commit')
      return done
    })
    await onStep('after commit')
    return result
  },
  lookUp: async (work) => {
    const result = await database.lookUp(async (db) => {
      const done = await work(db)
      await onStep('before commit')
      return done
    })
    await onStep('after commit')
    return result
  },
})

const asked = [
  'head',
  'examine',
  'readStart',
  'hash',
  'delete',
  'list',
  'write',
  'listUnfinishedUploads',
  'abortUpload',
] as const satisfies readonly (keyof BlobStore)[]

/** The bucket with a step on either side of each request. */
export function withStoreSteps(store: BlobStore, onStep: OnStep): BlobStore {
  const stepping =
    (name: (typeof asked)[number]) =>
    async (...args: readonly unknown[]) => {
      await onStep(`before ${name}`)
      const result = await (store[name] as (...same: readonly unknown[]) => Promise<unknown>)(...args)
      await onStep(`after ${name}`)
      return result
    }
  return { ...store, ...Object.fromEntries(asked.map((name) => [name, stepping(name)])) }
}
