import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { Bench } from 'tinybench'
import { product } from '../harness/serverPackage.mjs'

const key = 'org/01936b1e-0000-7000-8000-000000000001/files/01936b1e-0000-7000-8000-000000000002.pdf'

/** One signed URL against a bare HMAC-SHA256 over as many bytes as SigV4 has to look at for it. */
export const signUrls = {
  name: 'sign',
  run: async ({ isQuick }) => {
    const { createUrlSigner } = await product('storage/signing/signUrl.js')
    const { signDownload } = await product('domain/files/issueDownloadUrl.js')
    const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench-secret-bench-secret' }
    const signer = createUrlSigner({
      endpoint: 'http://127.0.0.1:9000',
      region: 'local',
      bucket: 'filegraph',
      forcePathStyle: true,
      ...credentials,
    })
    const ctx = { blobs: signer, now: () => new Date() }
    const file = { objectKey: key, name: 'report 17.pdf', contentType: 'application/pdf' }
    const options = { disposition: 'ATTACHMENT', expiresInSeconds: null }
    const { url } = signDownload(ctx, file, options, 3600)
    const secret = createSecretKey(randomBytes(32))
    const bench = new Bench({ time: isQuick ? 300 : 2_000, warmupTime: isQuick ? 100 : 500 })
    bench.add('signed URL', () => signDownload(ctx, file, options, 3600))
    bench.add('bare HMAC', () => createHmac('sha256', secret).update(url).digest('hex'))
    await bench.run()
    const [signed, bare] = bench.tasks.map(({ result }) => result.latency.p50 * 1000)
    return {
      facts: [
        {
          what: 'one signed URL, one bare HMAC-SHA256 of its length',
          is: `${signed.toFixed(1)} µs, ${bare.toFixed(1)} µs`,
        },
      ],
      targets: [signedEnough(signed, signed / bare)],
    }
  },
}

/** Either bound will do. */
function signedEnough(micros, ratio) {
  const bounds = { wanted: { most: 10 }, generous: { most: 100 } }
  if (micros <= 10) return { what: 'a signed URL, µs (or 5 HMACs)', is: micros, ...bounds }
  return { what: 'a signed URL, in bare HMACs (or 10 µs)', is: ratio, wanted: { most: 5 }, generous: { most: 50 } }
}
