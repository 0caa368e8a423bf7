import { Invalid } from '../refusals.ts'

const name = '[a-z0-9][a-z0-9!#$&^_.+-]{0,126}'
const mediaType = new RegExp(`^(${name}/${name})(?:\\s*;\\s*charset="?([a-z0-9][a-z0-9_.:-]{0,39})"?)?$`)

/**
 * A media type (RFC 6838) in lower case, as `type/subtype` or `type/subtype; charset=…`. Other parameters, lists and
 * wildcards are refused with `Invalid`.
 */
export function acceptContentType(text: string, field = 'contentType'): string {
  const [, essence, charset] = mediaType.exec(text.trim().toLowerCase()) ?? []
  if (!essence) throw new Invalid(field, 'This is not a media type such as application/pdf.')
  return charset ? `${essence}; charset=${charset}` : essence
}

/** `type/subtype` without parameters, in lower case. */
export const essenceOf = (contentType: string): string => contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
