import { type Context, inTransaction } from '../context.ts'
import { Conflict, NotFound } from '../refusals.ts'
import { findUploads, type Upload } from './findUploads.ts'
import { releaseUploads } from './releaseUpload.ts'

/** Takes an upload intent back. Cancelling what has ended without a file answers with the intent as it is. */
export async function cancelUpload(ctx: Context, id: string): Promise<Upload> {
  return inTransaction(ctx, async (tx) => {
    const [found] = await findUploads(tx, ctx, [id])
    if (!found) throw new NotFound('upload intent')
    if (found.state === 'PENDING') {
      await releaseUploads(tx, ctx, [found], { state: 'CANCELLED', action: 'upload_intent.cancelled' })
    }
    const [upload] = await findUploads(tx, ctx, [id])
    if (!upload) throw new NotFound('upload intent')
    if (upload.state === 'COMMITTED')
      throw new Conflict('ALREADY_COMMITTED', 'The upload was committed already. Delete the file instead.')
    return upload
  })
}
