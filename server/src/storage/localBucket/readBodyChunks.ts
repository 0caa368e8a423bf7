import type { IncomingMessage } from 'node:http'
import { idleBodyMilliseconds } from './limits.ts'
import { S3Error } from './s3Error.ts'

/**
 * The body as it comes over the wire. A client that stalls gets `RequestTimeout`; one that goes away makes this throw.
 * Leaving early does not destroy the connection: the refusal still has to be written to it.
 */
export async function* readBodyChunks(http: IncomingMessage): AsyncGenerator<Buffer, void> {
  const chunks: AsyncIterator<Buffer> = http.iterator({ destroyOnReturn: false })
  for (;;) {
    const next = await withinIdleTime(chunks.next())
    if (next.done) break
    yield next.value
  }
  if (!http.complete) throw new S3Error('IncompleteBody')
}

async function withinIdleTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const idle = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new S3Error('RequestTimeout')), idleBodyMilliseconds)
  })
  try {
    return await Promise.race([promise, idle])
  } finally {
    clearTimeout(timer)
  }
}
