/** Formats that nothing else looks like, by their first bytes in Latin-1. */
const signatures: readonly (readonly [type: string, start: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff[\xc0-\xcf\xdb\xdd\xe0-\xef\xfe]/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBPVP8[ LX]/],
  ['application/pdf', /^%PDF-[12]\.\d\r?\n?%[\x80-\xff]{2}/],
]

const startBytes = 16

/** Types whose files the server knows by their bytes, too. For all others the type of the browser is a guess. */
const known =
  /^(image\/(png|jpeg|gif|webp)|application\/pdf|audio\/(flac|ogg|wav)|video\/(mp4|webm|quicktime|x-matroska))$/

/**
 * The type that the bytes prove, if it is certain that the server would refuse them under the declared type. Null otherwise:
 * the server corrects what it can by itself, and it knows many more formats.
 */
export async function provedInstead(bytes: Blob, declared: string): Promise<string | null> {
  const essence = declared.split(';')[0] ?? ''
  if (!known.test(essence)) return null
  const start = await bytes.slice(0, startBytes).arrayBuffer()
  const text = String.fromCharCode(...new Uint8Array(start))
  const proved = signatures.find(([, signature]) => signature.test(text))?.[0]
  const isOtherKind = proved !== undefined && proved.split('/')[0] !== essence.split('/')[0]
  return isOtherKind ? proved : null
}
