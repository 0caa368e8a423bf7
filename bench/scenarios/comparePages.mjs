import { ask, refuseOtherBytes } from '../harness/askProduct.mjs'
import { compare } from '../harness/compare.mjs'
import { requestOf } from '../harness/requests.mjs'

/** Product against floor, by scenario. `request` is made when data is there. */
const against = {
  'list-20': { title: 'list 20, uploader and URL', request: page('ListFiles', 20) },
  'list-50': { title: 'list 50, uploader and URL', request: page('ListFiles', 50) },
  'names-20': { title: 'list 20, uploader, no URL', request: page('ListNames', 20) },
  'names-50': { title: 'list 50, uploader, no URL', request: page('ListNames', 50) },
  'filter-type': { title: 'list 20 of image/', request: page('ListFiles', 20, { contentTypePrefix: 'image/' }) },
  'filter-uploader': { title: 'list 20 of one uploader', request: pageOfUploader },
  trash: { title: 'list 20 of the trash', request: page('ListFiles', 20, { state: 'TRASHED' }) },
  audit: { title: 'audit log, 20 entries', request: ({ largest }) => requestOf(largest, 'ListAudit', { first: 20 }) },
  'issue-url': { title: 'issueDownloadUrl', request: issueUrl },
}

export const comparisons = Object.entries(against).map(([name, { title, request }]) => ({
  name,
  run: async (bench) => {
    const { sides, pace } = bench
    const asked = await request(bench)
    await refuseOtherBytes(sides, asked)
    const measured = await compare({ sides, request: asked, ...pace })
    return { comparisons: [{ name, title, ...measured }], targets: targetsOf(name, measured) }
  },
}))

function targetsOf(name, { throughputRatio, p99Ratio }) {
  if (name !== 'list-20' && name !== 'list-50') return []
  const what = `${name}, product to floor`
  return [
    { what: `${what}: throughput`, is: throughputRatio, wanted: { least: 0.6 }, generous: { least: 0.1 } },
    { what: `${what}: p99`, is: p99Ratio, wanted: { most: 2 }, generous: { most: 10 } },
  ]
}

function page(operation, first, filter) {
  return ({ largest }) => requestOf(largest, operation, { first, ...(filter && { filter }) })
}

async function pageOfUploader({ product, largest }) {
  const { files } = await ask(product, requestOf(largest, 'ListNames', { first: 1 }))
  const uploadedById = files.edges[0].node.uploadedBy.id
  return requestOf(largest, 'ListFiles', { first: 20, filter: { uploadedById } })
}

async function issueUrl({ product, largest }) {
  const { files } = await ask(product, requestOf(largest, 'ListNames', { first: 1 }))
  return requestOf(largest, 'IssueUrl', { input: { id: files.edges[0].node.id } })
}
