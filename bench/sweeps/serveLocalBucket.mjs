import { bucketKeys, product } from './product.mjs'

/** The product's own bucket endpoint over a folder, in a process of its own: `serveLocalBucket.mjs <folder>`. */
const { startLocalBucket } = await product('embedded/bucket/startLocalBucket.ts')
const { endpoint } = await startLocalBucket({ directory: process.argv[2], ...bucketKeys })
process.send({ endpoint })
process.on('disconnect', () => process.exit())
