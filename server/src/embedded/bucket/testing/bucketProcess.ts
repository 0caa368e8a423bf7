import { startLocalBucket } from '../startLocalBucket.ts'
import { account } from './openTestBucket.ts'

/** A bucket in a process that a test can kill. Sends its address to the parent. */
const bucket = await startLocalBucket({ ...account, directory: process.argv[2] ?? '' })
process.send?.(bucket.endpoint)
