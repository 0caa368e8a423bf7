import { defineRelations } from 'drizzle-orm'
import { cleanupRuns } from './tables/cleanupTables.ts'
import { attachments, blobs, files, fileVersions } from './tables/fileTables.ts'
import { apiKeys, principals, tenants, tenantUsage } from './tables/identityTables.ts'
import { uploads } from './tables/uploadTables.ts'

/** `plugin-drizzle` reads the primary keys of tables through it. */
export { getTableConfig } from 'drizzle-orm/pg-core'

const tables = {
  apiKeys,
  attachments,
  blobs,
  cleanupRuns,
  files,
  fileVersions,
  principals,
  tenants,
  tenantUsage,
  uploads,
}

/**
 * The relations of the API's relational queries. Every relation has the tenant on both sides, so that it cannot reach a
 * row of another tenant. A relation must not have the name of a column.
 */
export const relations = defineRelations(tables, (r) => ({
  apiKeys: {
    creator: r.one.principals({
      from: [r.apiKeys.tenantId, r.apiKeys.createdBy],
      to: [r.principals.tenantId, r.principals.id],
      optional: false,
    }),
  },
  attachments: {
    creator: r.one.principals({
      from: [r.attachments.tenantId, r.attachments.createdBy],
      to: [r.principals.tenantId, r.principals.id],
      optional: false,
    }),
  },
  cleanupRuns: {
    requester: r.one.principals({
      from: [r.cleanupRuns.tenantId, r.cleanupRuns.requestedBy],
      to: [r.principals.tenantId, r.principals.id],
      optional: false,
    }),
  },
  fileVersions: {
    blob: r.one.blobs({
      from: [r.fileVersions.tenantId, r.fileVersions.blobId],
      to: [r.blobs.tenantId, r.blobs.id],
      optional: false,
    }),
    creator: r.one.principals({
      from: [r.fileVersions.tenantId, r.fileVersions.createdBy],
      to: [r.principals.tenantId, r.principals.id],
      optional: false,
    }),
  },
  tenantUsage: {
    tenant: r.one.tenants({ from: r.tenantUsage.tenantId, to: r.tenants.id, optional: false }),
  },
  uploads: {
    /** Null after the bytes are purged: an intent outlives its blob. */
    blob: r.one.blobs({
      from: [r.uploads.tenantId, r.uploads.blobId],
      to: [r.blobs.tenantId, r.blobs.id],
    }),
    creator: r.one.principals({
      from: [r.uploads.tenantId, r.uploads.createdBy],
      to: [r.principals.tenantId, r.principals.id],
      optional: false,
    }),
  },
}))

export type Relations = typeof relations
