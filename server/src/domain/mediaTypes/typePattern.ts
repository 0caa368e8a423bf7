import { limits } from '../limits.ts'
import { parseMediaType } from './mediaType.ts'
import { canonicalType, namesOf } from './synonyms.ts'

/** The top-level types of the IANA registry, and one that is in use but not registered. */
const kinds = `application audio chemical font haptics image message model multipart text video`.split(' ')

const prefixPattern = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(\/[a-z0-9!#$&^_.+-]{0,127})?$/

/**
 * The prefix of stored media types that a text matches: `image/` for `image`, `image/` and `image/*`; the stored name
 * for a whole type; the text itself for any other prefix, such as `application/vnd.`. Empty for everything (`*`, `*\/*`
 * and the empty text). Null if no media type has this prefix.
 */
export function typePrefix(text: string): string | null {
  if (text.length > limits.contentTypeCharacters) return null
  const asked = text.trim().toLowerCase()
  if (asked === '' || asked === '*' || asked === '*/*') return ''
  const bare = asked.endsWith('*') ? asked.slice(0, -1) : (parseMediaType(asked)?.essence ?? asked)
  if (!prefixPattern.test(bare)) return null
  if (kinds.includes(bare)) return `${bare}/`
  return bare.includes('/') || isStartOfKind(bare) ? canonicalType(bare) : null
}

const isStartOfKind = (text: string) => text.startsWith('x-') || kinds.some((kind) => kind.startsWith(text))

/**
 * True if a list of allowed types includes a type. Entries are whole types, which include their synonyms, or kinds such
 * as `image/`. Without a list, everything is allowed.
 */
export function isAllowedType(allowed: readonly string[] | null, essence: string): boolean {
  if (!allowed) return true
  const type = canonicalType(essence)
  return allowed.some((entry) => (entry.endsWith('/') ? isOfKind(type, entry) : type === canonicalType(entry)))
}

/**
 * XML, JavaScript, YAML, RTF and fonts have names of two kinds and match both. Other synonyms of two kinds are
 * mistakes, such as `image/pdf`, and match only the stored one.
 */
function isOfKind(type: string, kind: string): boolean {
  if (type.startsWith(kind)) return true
  const isTwofold = /^(text|font)\//.test(type)
    ? kind === 'application/'
    : type.startsWith('application/') && kind === 'text/'
  return isTwofold && namesOf(type).some((name) => name.startsWith(kind))
}
