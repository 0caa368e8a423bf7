import { createServer } from 'node:http'
import { content, etag, keyOf } from './objects.mjs'

/**
 * An endpoint that checks no signature and keeps nothing but what is PUT: it makes up the listing of one tenant's
 * objects, for numbers of them that would take a disk too long. `serveSyntheticListing.mjs <tenant> <count>`.
 */
const [tenantId, count] = [process.argv[2], Number(process.argv[3])]
const pageKeys = 1_000
const kept = new Map()

const objectXml = (key, size) =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etag}&quot;</ETag>` +
  `<Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`

function listing(query) {
  const prefix = query.get('prefix') ?? ''
  const isTenant = prefix.startsWith(`org/${tenantId}/`)
  const first = Number(query.get('continuation-token') ?? 1)
  const last = isTenant ? Math.min(count, first + pageKeys - 1) : 0
  const objects = [...kept].filter(([key]) => key.startsWith(prefix)).map(([key, body]) => objectXml(key, body.length))
  for (let n = first; n <= last; n += 1) objects.push(objectXml(keyOf(tenantId, n), content.length))
  const next = isTenant && last < count ? `<NextContinuationToken>${last + 1}</NextContinuationToken>` : ''
  return (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>files</Name><Prefix>${prefix}</Prefix><MaxKeys>${pageKeys}</MaxKeys><IsTruncated>${next !== ''}` +
    `</IsTruncated>${next}${objects.join('')}</ListBucketResult>`
  )
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost')
  const key = decodeURIComponent(url.pathname).split('/').slice(2).join('/')
  const body = Buffer.concat(await request.toArray())
  if (request.method === 'PUT') kept.set(key, body)
  if (key === '') return response.end(request.method === 'GET' ? listing(url.searchParams) : '')
  response.setHeader('etag', `"${etag}"`)
  return response.end(request.method === 'GET' ? kept.get(key) : '')
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => process.send({ endpoint: `http://127.0.0.1:${server.address().port}` }))
process.on('disconnect', () => process.exit())
