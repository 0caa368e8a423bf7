import {
  FileArchive,
  FileAudio,
  FileImage,
  FileSpreadsheet,
  FileText,
  FileVideo,
  File as Plain,
  type LucideIcon,
} from 'lucide-react'

interface TypeGroup {
  readonly id: string
  readonly label: string
  /** The prefix of the media types of the group. */
  readonly prefix: string
}

/** The types that a list can be filtered by. The id is in the address. */
export const typeGroups: readonly TypeGroup[] = [
  { id: 'images', label: 'Images', prefix: 'image/' },
  { id: 'pdf', label: 'PDF', prefix: 'application/pdf' },
  { id: 'text', label: 'Text', prefix: 'text/' },
  { id: 'audio', label: 'Audio', prefix: 'audio/' },
  { id: 'video', label: 'Video', prefix: 'video/' },
  { id: 'archives', label: 'ZIP archives', prefix: 'application/zip' },
]

export const prefixOf = (group: string | undefined) => typeGroups.find(({ id }) => id === group)?.prefix

type Look = readonly [test: RegExp, icon: LucideIcon, tone: string]

const looks: readonly Look[] = [
  [/^image\//, FileImage, 'image'],
  [/^video\//, FileVideo, 'video'],
  [/^audio\//, FileAudio, 'audio'],
  [/csv|spreadsheet|excel/, FileSpreadsheet, 'table'],
  [/zip|compressed|tar|7z|rar/, FileArchive, 'archive'],
  [/pdf|^text\/|document|json|xml|msword/, FileText, 'document'],
]

/** The icon and the colour of a media type. */
export function lookOf(contentType: string): { Icon: LucideIcon; tone: string } {
  const [, Icon, tone] = looks.find(([test]) => test.test(contentType)) ?? ([/./, Plain, 'plain'] as const)
  return { Icon, tone }
}

/** Names of media types. Types of a family that are not listed use the last part of their name: "HEIC image". */
const names: Readonly<Record<string, string>> = {
  'application/pdf': 'PDF',
  'application/zip': 'ZIP archive',
  'application/x-zip-compressed': 'ZIP archive',
  'application/gzip': 'GZIP archive',
  'application/x-gzip': 'GZIP archive',
  'application/x-tar': 'TAR archive',
  'application/x-7z-compressed': '7-Zip archive',
  'application/vnd.rar': 'RAR archive',
  'application/x-rar-compressed': 'RAR archive',
  'application/x-bzip2': 'BZIP2 archive',
  'application/x-xz': 'XZ archive',
  'application/zstd': 'Zstandard archive',
  'application/java-archive': 'Java archive',
  'application/vnd.android.package-archive': 'Android app',
  'application/msword': 'Word document',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word document',
  'application/vnd.ms-word.document.macroenabled.12': 'Word document',
  'application/vnd.ms-excel': 'Excel spreadsheet',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Excel spreadsheet',
  'application/vnd.ms-excel.sheet.macroenabled.12': 'Excel spreadsheet',
  'application/vnd.ms-powerpoint': 'PowerPoint presentation',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'PowerPoint presentation',
  'application/vnd.oasis.opendocument.text': 'OpenDocument text',
  'application/vnd.oasis.opendocument.spreadsheet': 'OpenDocument spreadsheet',
  'application/vnd.oasis.opendocument.presentation': 'OpenDocument presentation',
  'application/vnd.apple.pages': 'Pages document',
  'application/vnd.apple.numbers': 'Numbers spreadsheet',
  'application/vnd.apple.keynote': 'Keynote presentation',
  'application/rtf': 'RTF document',
  'text/rtf': 'RTF document',
  'application/epub+zip': 'EPUB book',
  'application/json': 'JSON file',
  'application/ld+json': 'JSON file',
  'application/xml': 'XML file',
  'text/xml': 'XML file',
  'application/sql': 'SQL file',
  'application/wasm': 'WebAssembly module',
  'application/postscript': 'PostScript document',
  'application/x-sqlite3': 'SQLite database',
  'application/vnd.sqlite3': 'SQLite database',
  'application/vnd.apache.parquet': 'Parquet file',
  'application/x-sh': 'Shell script',
  'application/javascript': 'JavaScript file',
  'application/x-msdownload': 'Windows program',
  'application/vnd.microsoft.portable-executable': 'Windows program',
  'application/x-apple-diskimage': 'Disk image',
  'application/x-iso9660-image': 'Disk image',
  'message/rfc822': 'E-mail message',
  'text/plain': 'Text',
  'text/csv': 'CSV table',
  'text/tab-separated-values': 'TSV table',
  'text/html': 'HTML page',
  'text/css': 'CSS file',
  'text/javascript': 'JavaScript file',
  'text/markdown': 'Markdown text',
  'text/calendar': 'Calendar',
  'text/vcard': 'Contact card',
  'text/x-python': 'Python script',
  'image/jpeg': 'JPEG image',
  'image/svg+xml': 'SVG image',
  'image/vnd.adobe.photoshop': 'Photoshop image',
  'image/x-icon': 'Icon',
  'image/vnd.microsoft.icon': 'Icon',
  'audio/mpeg': 'MP3 audio',
  'audio/mp4': 'M4A audio',
  'audio/x-m4a': 'M4A audio',
  'audio/x-wav': 'WAV audio',
  'audio/vnd.wave': 'WAV audio',
  'audio/midi': 'MIDI audio',
  'video/quicktime': 'QuickTime video',
  'video/x-msvideo': 'AVI video',
  'video/vnd.avi': 'AVI video',
  'video/x-matroska': 'Matroska video',
  'video/matroska': 'Matroska video',
  'video/mp2t': 'MPEG video',
  'video/mpeg': 'MPEG video',
}

const families: Readonly<Record<string, string>> = {
  image: 'image',
  audio: 'audio',
  video: 'video',
  font: 'font',
  model: '3D model',
}

/** The kind of a file in words: "PDF", "PNG image", "Word document". Types without a name are shown by the ending of the file. */
export function typeNameOf(contentType: string, fileName: string): string {
  const [type = ''] = contentType.toLowerCase().split(';')
  const named = Object.hasOwn(names, type.trim()) ? names[type.trim()] : undefined
  if (named) return named
  const [family = '', format = ''] = type.trim().split('/')
  const kind = Object.hasOwn(families, family) ? families[family] : undefined
  const short = format.replace(/^x-/, '').replace(/\+.*$/, '')
  if (kind && /^[a-z0-9-]{2,8}$/.test(short)) return `${short.toUpperCase()} ${kind}`
  const [, extension] = /[^.]\.([\p{L}\p{N}_-]{1,10})$/u.exec(fileName) ?? []
  if (extension) return `${extension.toUpperCase()} ${kind ?? 'file'}`
  if (kind) return kind.charAt(0).toUpperCase() + kind.slice(1)
  return family === 'text' ? 'Text' : 'File'
}
