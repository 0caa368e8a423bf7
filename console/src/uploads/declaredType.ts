/** What browsers leave untyped although people upload it. */
const byExtension: Record<string, string> = {
  md: 'text/markdown',
  csv: 'text/csv',
  log: 'text/plain',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  json: 'application/json',
  heic: 'image/heic',
  avif: 'image/avif',
  webp: 'image/webp',
  mkv: 'video/x-matroska',
  flac: 'audio/flac',
  '7z': 'application/x-7z-compressed',
}

/** The media type to announce: the browser's, else by the name, else "some bytes". */
export function declaredType({ name, type }: { name: string; type: string }): string {
  if (type) return type.toLowerCase()
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return byExtension[extension] ?? 'application/octet-stream'
}
