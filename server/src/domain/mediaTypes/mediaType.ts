import { MIMEType } from 'node:util'
import { limits } from '../limits.ts'
import { Invalid } from '../refusals.ts'

/** A media type with the two parameters that affect how a reader decodes the bytes. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string
  /** A label such as `utf-8`, in lower case. */
  readonly charset: string | null
  /** RFC 6381, such as `vp9,opus`. Case-sensitive. */
  readonly codecs: string | null
}

/** The type of unknown bytes (RFC 2046). */
export const unknownType = 'application/octet-stream'

/** RFC 6838. Its names allow fewer characters than the tokens of HTTP. */
const restrictedName = '[a-z0-9][a-z0-9!#$&^_.+-]{0,126}'
const essencePattern = new RegExp(`^${restrictedName}/${restrictedName}$`)
const charsetPattern = /^[a-z0-9][a-z0-9_.:+-]{0,39}$/
const codecsPattern = /^[A-Za-z0-9.+_-]{1,40}(,[A-Za-z0-9.+_-]{1,40}){0,9}$/

/**
 * Parses a media type as browsers do (WHATWG MIME Sniffing). Returns null if it is invalid, is too long, or has a
 * wildcard.
 */
export function parseMediaType(text: string): MediaType | null {
  if (text.length > limits.contentTypeCharacters) return null
  const parsed = readWithPlatform(text)
  if (!parsed || !essencePattern.test(parsed.essence)) return null
  const charset = parsed.params.get('charset')?.toLowerCase() ?? ''
  const codecs =
    parsed.params
      .get('codecs')
      ?.replace(/\s*,\s*/g, ',')
      .trim() ?? ''
  return {
    essence: parsed.essence,
    charset: charsetPattern.test(charset) ? charset : null,
    codecs: codecsPattern.test(codecs) ? codecs : null,
  }
}

function readWithPlatform(text: string): MIMEType | null {
  try {
    return new MIMEType(text)
  } catch {
    return null
  }
}

/** The canonical form that is stored, signed and served: `type/subtype`, then `charset`, then `codecs`. */
export function formatMediaType({ essence, charset, codecs }: MediaType): string {
  const parameters = [
    ...(charset === null ? [] : [`charset=${charset}`]),
    ...(codecs === null ? [] : [codecs.includes(',') ? `codecs="${codecs}"` : `codecs=${codecs}`]),
  ]
  return [essence, ...parameters].join('; ')
}

/**
 * Returns a declared media type in its stored form. Drops parameters other than `charset` and `codecs`. An empty text,
 * which browsers send for unknown extensions, means `application/octet-stream`. Throws `Invalid`.
 */
export function acceptContentType(text: string, field = 'contentType'): string {
  if (text.trim() === '') return unknownType
  const most = limits.contentTypeCharacters
  if (text.length > most) throw new Invalid(field, `A media type has at most ${most} characters.`, most)
  const type = parseMediaType(text)
  if (!type) throw new Invalid(field, 'This is not a media type such as application/pdf.')
  return formatMediaType(type)
}

/** `type/subtype` in lower case, without parameters. Empty if the text is not a media type. */
export const essenceOf = (contentType: string): string => parseMediaType(contentType)?.essence ?? ''
