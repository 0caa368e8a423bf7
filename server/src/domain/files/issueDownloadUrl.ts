import { recordAccess } from '../audit/recordChange.ts'
import { type Context, inTransaction } from '../context.ts'
import { NotFound } from '../refusals.ts'
import { type File, findFiles } from './findFiles.ts'
import { type DownloadOptions, signDownload } from './signDownload.ts'

/** The same address as reading the field gives, and an audit entry that tells who got it and when. */
export async function issueDownloadUrl(
  ctx: Context,
  id: string,
  options: DownloadOptions,
): Promise<{ file: File; url: string; expiresAt: Date }> {
  return inTransaction(ctx, async (tx) => {
    const [file] = await findFiles(tx, [id])
    if (!file) throw new NotFound('file')
    const signed = signDownload(ctx, file, options, file.policy.downloadMaxSeconds)
    await recordAccess(tx, ctx, 'file.download_url_issued', {
      id,
      name: file.name,
      payload: { version: file.version, disposition: options.disposition, expiresAt: signed.expiresAt.toISOString() },
    })
    return { file, ...signed }
  })
}
