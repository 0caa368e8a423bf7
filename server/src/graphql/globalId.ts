import { isId } from '../domain/ids.ts'

/** Every type that has a global id. */
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

/** The base64url encoding of the type and the id. Opaque to clients. */
export const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64url')

const longestId = 200

/**
 * Parses a global id. Returns null if the text is not one; the caller then gets the same answer as for an unknown id.
 */
export function parseGlobalId(text: string): { type: string; id: string } | null {
  if (text.length > longestId || !/^[A-Za-z0-9_-]+$/.test(text)) return null
  const decoded = Buffer.from(text, 'base64url').toString('utf8')
  // Accept one encoding only, so that client caches see one id for one object.
  if (Buffer.from(decoded).toString('base64url') !== text) return null
  const colon = decoded.indexOf(':')
  return colon < 1 ? null : { type: decoded.slice(0, colon), id: decoded.slice(colon + 1) }
}

/** The UUID in a global id of `type`. Null for another type or other text. */
export function idOf(type: NodeType, text: string): string | null {
  const parsed = parseGlobalId(text)
  return parsed?.type === type && isId(parsed.id) ? parsed.id : null
}

/**
 * A UUID that no object has. It replaces a malformed id, so that the request takes the same path as for a foreign id.
 */
export const noId = '00000000-0000-0000-0000-000000000000'

/** The key in a `FileVersion` id: the id of the file and the number of the version. */
export const versionKey = (fileId: string, version: number): string => `${fileId}.${version}`

export function parseVersionKey(key: string): { fileId: string; version: number } | null {
  const [fileId = '', number = '', ...rest] = key.split('.')
  const version = Number(number)
  const valid = rest.length === 0 && isId(fileId) && /^[1-9]\d{0,8}$/.test(number)
  return valid ? { fileId, version } : null
}
