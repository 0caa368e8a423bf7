import './requireNode.mjs'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { constants as osConstants, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { programs, startCeph } from '../test/ceph/startCeph.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { runSuite, tellFailures } from './runSuite.mjs'
import { launch, say, serverFolder } from './workspace.mjs'

/** What every bucket has to do, and the product's own life on such a bucket. */
const filters = ['src/storage/s3/externalBucket', 'test/lifecycle', 'test/attachments', 'test/faults/gates']

const contractBucket = 'filegraph-contract'

/** The suite ends on a signal by itself; before and after it, what was started has to go with us. */
let isSuiteRunning = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!isSuiteRunning) process.exit(128 + osConstants.signals[signal])
  })
}

await launch(async () => {
  await ensureInstalled()
  const missing = missingPackages()
  if (missing.length > 0) {
    say(`These packages are missing: ${missing.join(', ')}. As root on Debian:`)
    say(`  apt-get install --no-install-recommends ${missing.join(' ')}`)
    process.exitCode = 2
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'ceph-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  say('Starting a Ceph cluster of one…')
  const ceph = await startCeph(folder)
  try {
    await makeBucket(ceph)
    isSuiteRunning = true
    const { passed, failed, failures } = await runSuite({ name: 'server on Ceph', folder: serverFolder }, filters, {
      S3_ENDPOINT: ceph.endpoint,
      S3_BUCKET: contractBucket,
      S3_ACCESS_KEY_ID: ceph.accessKeyId,
      S3_SECRET_ACCESS_KEY: ceph.secretAccessKey,
      FILEGRAPH_TEST_STORE: 'ceph',
    })
    if (failed > 0) process.exitCode = 1
    tellFailures(failures)
    console.log(`\n${passed} passed, ${failed} failed`)
  } finally {
    isSuiteRunning = false
    await ceph.stop()
  }
})

/** The packages may have been installed only just now. */
async function makeBucket({ endpoint, accessKeyId, secretAccessKey }) {
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3')
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket: contractBucket }))
  client.destroy()
}

/** Daemons are often in folders that an ordinary user's path leaves out. */
function missingPackages() {
  process.env['PATH'] = [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter)
  const folders = process.env['PATH'].split(delimiter)
  const isThere = (program) => folders.some((folder) => isExecutable(join(folder, program)))
  const absent = Object.entries(programs).filter(([program]) => !isThere(program))
  return [...new Set(absent.map(([, packageName]) => packageName))]
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
