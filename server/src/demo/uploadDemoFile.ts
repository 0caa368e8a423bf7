import type { Context } from '../domain/context.ts'
import { commitUpload } from '../domain/uploads/commitUpload.ts'
import { createUploadIntent } from '../domain/uploads/createUploadIntent.ts'
import type { Upload } from '../domain/uploads/findUploads.ts'
import { signUpload } from '../domain/uploads/signUpload.ts'
import type { DemoFile } from './demoFiles.ts'

/** An interrupted attempt older than its intent's lifetime leaves an intent that is over; the next one gets a new key. */
const attempts = 20

/** Sends one file and answers with its id. Sent before: answers with the file that came of it. */
export async function uploadDemoFile(ctx: Context, file: DemoFile, fileId: string | null): Promise<string> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const intent = await createUploadIntent(ctx, {
      name: file.name,
      contentType: file.contentType,
      byteSize: file.content.length,
      sha256: null,
      retention: null,
      fileId,
      idempotencyKey: `${file.key}-${attempt}`,
    })
    if (intent.state === 'COMMITTED' && intent.fileId !== null) return intent.fileId
    const isOver = intent.state !== 'PENDING' || intent.expiresAt <= ctx.now()
    if (!isOver) return sendAndCommit(ctx, intent, file.content)
  }
  throw new Error(`The demo file ${file.name} could not be sent`)
}

async function sendAndCommit(ctx: Context, intent: Upload, content: Buffer): Promise<string> {
  const signed = signUpload(ctx, intent)
  if (!signed) throw new Error(`The upload intent ${intent.id} cannot be signed`)
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  const answer = await fetch(signed.url, { method: signed.method, headers, body: new Uint8Array(content) })
  await answer.arrayBuffer()
  // 412: these bytes arrived before a crash. Whether they are right is for the commit to say.
  if (!answer.ok && answer.status !== 412) throw new Error(`The bucket answered ${answer.status} to a demo file`)
  const { file } = await commitUpload(ctx, intent.id)
  return file.id
}
