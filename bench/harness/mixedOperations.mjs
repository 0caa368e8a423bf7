import { requestOf } from './requests.mjs'
import { uploadFile } from './uploadFile.mjs'

/**
 * What a day brings, by how often of a hundred. Each takes a tenant and `{ send, put }`, of which `send` answers with the
 * data or throws. Addresses of another tenant in an answer are an error too.
 */
const operations = [
  { name: 'list', of100: 40, run: listFirstPages },
  { name: 'names', of100: 10, run: (tenant, { send }) => send(requestOf(tenant, 'ListNames', { first: 50 })) },
  { name: 'filter', of100: 10, run: (tenant, wire) => list(tenant, wire, { filter: { contentTypePrefix: 'image/' } }) },
  { name: 'trash', of100: 5, run: (tenant, wire) => list(tenant, wire, { filter: { state: 'TRASHED' } }) },
  { name: 'audit', of100: 10, run: (tenant, { send }) => send(requestOf(tenant, 'ListAudit', { first: 20 })) },
  { name: 'issue', of100: 15, run: issueUrl },
  { name: 'upload', of100: 10, run: uploadFile },
]

export function pickOperation() {
  let left = Math.random() * 100
  return operations.find(({ of100 }) => (left -= of100) < 0) ?? operations[0]
}

async function list(tenant, { send }, variables) {
  const { files } = await send(requestOf(tenant, 'ListFiles', { first: 20, ...variables }))
  const isForeign = ({ node }) => node.downloadUrl && !node.downloadUrl.includes(`/org/${tenant.id}/`)
  if (files.edges.some(isForeign)) throw new Error('A file of another tenant')
  return files
}

async function listFirstPages(tenant, wire) {
  const { pageInfo } = await list(tenant, wire, {})
  await list(tenant, wire, { after: pageInfo.endCursor })
}

async function issueUrl(tenant, wire) {
  const { edges } = await list(tenant, wire, {})
  const { id } = edges[Math.floor(Math.random() * edges.length)].node
  await wire.send(requestOf(tenant, 'IssueUrl', { input: { id } }))
}
