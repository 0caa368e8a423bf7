import type { SeenRequest } from './startStoreProxy.ts'

const hasKey = ({ url }: SeenRequest) => /^\/[^/?]+\/[^?]/.test(url)
const asksFor = ({ url }: SeenRequest, parameter: string) => new URLSearchParams(url.split('?', 2)[1]).has(parameter)

/** The questions that `BlobStore` asks, and the signed URLs of uploads and downloads, as rules of a proxy name them. */
export const isListing = (seen: SeenRequest) => seen.method === 'GET' && !hasKey(seen) && asksFor(seen, 'list-type')
export const isUploadListing = (seen: SeenRequest) => seen.method === 'GET' && !hasKey(seen) && asksFor(seen, 'uploads')
export const isDeletion = (seen: SeenRequest) => seen.method === 'POST' && asksFor(seen, 'delete')
export const isAbort = (seen: SeenRequest) => seen.method === 'DELETE' && asksFor(seen, 'uploadId')
export const isHead = (seen: SeenRequest) => seen.method === 'HEAD' && hasKey(seen)
export const isPing = (seen: SeenRequest) => seen.method === 'HEAD' && !hasKey(seen)
export const isRead = (seen: SeenRequest) => seen.method === 'GET' && hasKey(seen)
export const isWrite = (seen: SeenRequest) => seen.method === 'PUT' && hasKey(seen)
