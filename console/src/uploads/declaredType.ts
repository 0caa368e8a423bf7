/** RFC 6838, section 4.2, with whatever parameters follow: recordings carry malformed ones (`codecs=vp9,opus`). */
const mediaType = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}(;[\x20-\x7e]*)?$/i

/**
 * The media type to announce: the browser's, with its parameters. Empty if the browser knows none or it is malformed: the server
 * then decides by the bytes and by the name.
 */
export const declaredType = ({ type }: { readonly type: string }): string => (mediaType.test(type) ? type : '')

/** "text/html" of `Text/HTML; charset=utf-8`. */
export const essenceOf = (type: string): string => (type.split(';')[0] ?? '').trim().toLowerCase()
