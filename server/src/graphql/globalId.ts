import { isId } from '../domain/ids.ts'

/** Every type with an id of its own. */
export type NodeType =
  | 'ApiKey'
  | 'Attachment'
  | 'AuditEntry'
  | 'CleanupRun'
  | 'File'
  | 'FileVersion'
  | 'Principal'
  | 'Tenant'
  | 'UploadIntent'

/** Opaque to clients: base64url of the type and the id. */
export const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64url')

const longestId = 200

/** What a global id names, or null for whatever is none: to a caller that is the same as an id that leads nowhere. */
export function parseGlobalId(text: string): { type: string; id: string } | null {
  if (text.length > longestId || !/^[A-Za-z0-9_-]+$/.test(text)) return null
  const decoded = Buffer.from(text, 'base64url').toString('utf8')
  // Only the spelling that we give out, so that one thing has one id in every client's cache.
  if (Buffer.from(decoded).toString('base64url') !== text) return null
  const colon = decoded.indexOf(':')
  return colon < 1 ? null : { type: decoded.slice(0, colon), id: decoded.slice(colon + 1) }
}

/** The UUID in a global id of `type`; null for other types and anything else. */
export function idOf(type: NodeType, text: string): string | null {
  const parsed = parseGlobalId(text)
  return parsed?.type === type && isId(parsed.id) ? parsed.id : null
}

/** A UUID that belongs to nothing: for ids that lead nowhere, so that they take the same path as a foreign id. */
export const noId = '00000000-0000-0000-0000-000000000000'

/** `FileVersion` ids carry the file's id and the number. */
export const versionKey = (fileId: string, version: number): string => `${fileId}.${version}`

export function parseVersionKey(key: string): { fileId: string; version: number } | null {
  const [fileId = '', number = '', ...rest] = key.split('.')
  const version = Number(number)
  const valid = rest.length === 0 && isId(fileId) && /^[1-9]\d{0,8}$/.test(number)
  return valid ? { fileId, version } : null
}
