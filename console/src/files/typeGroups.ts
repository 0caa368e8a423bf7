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

export interface TypeGroup {
  readonly id: string
  readonly label: string
  /** What the media types of the group begin with. */
  readonly prefix: string
}

/** What the list can be narrowed to; the id stands in the address. */
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

/** How a file of this media type is drawn. */
export function lookOf(contentType: string): { Icon: LucideIcon; tone: string } {
  const [, Icon, tone] = looks.find(([test]) => test.test(contentType)) ?? ([/./, Plain, 'plain'] as const)
  return { Icon, tone }
}
