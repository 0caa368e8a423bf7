/** RFC 6838, section 4.2, with any parameters, because those of recordings are malformed (`codecs=vp9,opus`). */
const mediaType = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}(;[\x20-\x7e]*)?$/i

/**
 * The media type to declare: the browser's, with its parameters. Empty if the browser has none or a malformed one. The server then
 * detects the type from the bytes and the name.
 */
export const declaredType = ({ type }: { readonly type: string }): string => (mediaType.test(type) ? type : '')

/** "text/html" of `Text/HTML; charset=utf-8`. */
export const essenceOf = (type: string): string => (type.split(';')[0] ?? '').trim().toLowerCase()
