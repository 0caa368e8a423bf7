import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../harness/askProduct.mjs'
import { startCountingProxies } from '../harness/startCountingProxies.mjs'
import { startProduct } from '../harness/startProduct.mjs'
import { median } from '../harness/statistics.mjs'
import { uploadFile } from '../harness/uploadFile.mjs'

const attempts = 8
const uploaders = 8

/** A file of 4 KiB from intent to commit: how often it waits for others, and how long it takes. */
export const uploadFiles = {
  name: 'upload',
  run: async (bench) => {
    const { trips, requests, requestsInTransaction } = await countTrips(bench)
    const times = await timeUploads(bench)
    const stages = ['intent', 'PUT', 'commit'].map(
      (name, at) => `${name} ${median(times.map((each) => each[at])).toFixed(1)}`,
    )
    const counted = (what, is, most, generous) => ({ what, is, wanted: { most }, generous: { most: generous } })
    return {
      facts: [{ what: `upload of 4 KiB, ${uploaders} at a time, median ms`, is: stages.join(', ') }],
      targets: [
        counted('intent + commit: SQL round trips', trips, 10, 40),
        counted('intent + commit: requests to the bucket', requests, 1, 3),
        counted('intent + commit: requests to the bucket in a transaction', requestsInTransaction, 0, 0),
      ],
    }
  },
}

/** The least of several: in some of them the worker is at work, or the key is read or its use noted. */
async function countTrips({ product, folder, largest }) {
  const proxies = await startCountingProxies(product)
  const beside = await startBeside(product, join(folder, 'beside'), proxies)
  try {
    const wire = { send: (request) => ask(beside, request), put }
    const counted = []
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      proxies.reset()
      await uploadFile(largest, wire)
      counted.push({ ...proxies.counts })
    }
    const least = (name) => Math.min(...counted.map((each) => each[name]))
    return {
      trips: least('trips'),
      requests: least('requests'),
      requestsInTransaction: least('requestsInTransaction'),
    }
  } finally {
    await beside.stop()
    await proxies.stop()
  }
}

/** A second product on the same rows and the same bytes, seen through the proxies; clients reach the bucket directly. */
function startBeside({ urls, bucket }, folder, { databasePort, bucketPort }) {
  mkdirSync(folder)
  return startProduct(folder, {
    environment: {
      DATABASE_URL: Object.assign(new URL(urls.url), { port: databasePort }).href,
      DATABASE_MIGRATION_URL: urls.migrationUrl,
      S3_ENDPOINT: `http://127.0.0.1:${bucketPort}`,
      S3_PUBLIC_ENDPOINT: bucket.endpoint,
      S3_BUCKET: bucket.bucket,
      S3_REGION: bucket.region,
      S3_ACCESS_KEY_ID: bucket.accessKeyId,
      S3_SECRET_ACCESS_KEY: bucket.secretAccessKey,
    },
  })
}

async function timeUploads({ product, largest, pace }) {
  const times = []
  const end = performance.now() + pace.seconds * 1000
  async function uploadAgain() {
    do {
      const stages = []
      const timed =
        (work) =>
        async (...args) => {
          const started = performance.now()
          const answer = await work(...args)
          stages.push(performance.now() - started)
          return answer
        }
      await uploadFile(largest, { send: timed((request) => ask(product, request)), put: timed(put) })
      times.push(stages)
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: uploaders }, uploadAgain))
  return times
}

async function put(url, headers, body) {
  const answer = await fetch(url, { method: 'PUT', headers, body })
  await answer.arrayBuffer()
  if (answer.status !== 200) throw new Error(`PUT: ${answer.status}`)
}
