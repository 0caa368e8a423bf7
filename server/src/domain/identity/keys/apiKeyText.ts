import { createHash } from 'node:crypto'

/** The parts of an API key. A key contains its tenant, so that it can be checked within that tenant. */
export interface ApiKeyText {
  readonly tenantId: string
  readonly keyId: string
  /** 32 random bytes. */
  readonly secret: Buffer
}

const pattern = /^fgk_([A-Za-z0-9_-]{43})_([A-Za-z0-9_-]{43})$/

/** `fgk_<base64url of tenant and key id>_<base64url of the secret>`. */
export function formatApiKey({ tenantId, keyId, secret }: ApiKeyText): string {
  return `${apiKeyPrefix(tenantId, keyId)}_${secret.toString('base64url')}`
}

/** The public part of a key, by which people recognise it. */
export const apiKeyPrefix = (tenantId: string, keyId: string): string =>
  `fgk_${Buffer.concat([bytesOf(tenantId), bytesOf(keyId)]).toString('base64url')}`

/** Null for any text that is not the exact form of an issued key. */
export function parseApiKey(text: string): ApiKeyText | null {
  const [, ids, secret] = pattern.exec(text) ?? []
  if (ids === undefined || secret === undefined) return null
  const idBytes = Buffer.from(ids, 'base64url')
  const key = {
    tenantId: uuidOf(idBytes.subarray(0, 16)),
    keyId: uuidOf(idBytes.subarray(16)),
    secret: Buffer.from(secret, 'base64url'),
  }
  return formatApiKey(key) === text ? key : null
}

/** The stored hash of a key. */
export const hashSecret = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest()

const bytesOf = (uuid: string) => Buffer.from(uuid.replaceAll('-', ''), 'hex')

const uuidOf = (bytes: Buffer) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
