import { recordAccess } from '../audit/recordChange.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Context, inTransaction } from '../context.ts'
import { Conflict, NotFound } from '../refusals.ts'
import { type File, findFiles } from './findFiles.ts'
import { findVersions } from './listVersions.ts'
import { type DownloadOptions, signDownload } from './signDownload.ts'

/**
 * The URL that `downloadUrl` gives, and an audit entry that says who got it and when. `version` null: the current one. Refuses
 * with `Conflict` while the bytes are in quarantine: a reader gets the proved bytes or none.
 */
export async function issueDownloadUrl(
  ctx: Context,
  id: string,
  options: DownloadOptions,
  version: number | null = null,
): Promise<{ file: File; url: string; expiresAt: Date }> {
  return inTransaction(ctx, async (tx) => {
    const [file] = await findFiles(tx, [id])
    if (!file) throw new NotFound('file')
    const number = version ?? file.version
    const bytes = number === file.version ? file : await findOldVersion(tx, id, number)
    if (bytes.quarantinedAt)
      throw new Conflict('QUARANTINED', 'The stored bytes are damaged or missing, so they are not served.')
    const signed = signDownload(ctx, bytes, options, file.policy.downloadMaxSeconds)
    await recordAccess(tx, ctx, 'file.download_url_issued', {
      id,
      name: file.name,
      payload: { version: number, disposition: options.disposition, expiresAt: signed.expiresAt.toISOString() },
    })
    return { file, ...signed }
  })
}

async function findOldVersion(tx: Transaction, fileId: string, version: number) {
  const [found] = await findVersions(tx, [{ fileId, version }])
  if (!found) throw new NotFound('version')
  return found
}
