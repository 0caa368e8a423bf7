import type { AuditRowFragment } from '../apollo/operations.ts'

/** Plain words, and what people wrote themselves, which has to be kept apart on the screen. */
export type Part = string | { readonly name: string }

type Entry = Pick<AuditRowFragment, 'action' | 'subject' | 'payload' | 'actor'>

/** The actions that people can choose from; the log may hold others, of newer servers. */
export const actionNames: Readonly<Record<string, string>> = {
  'file.uploaded': 'File uploaded',
  'file.version_added': 'New version uploaded',
  'file.renamed': 'File renamed',
  'file.deleted': 'File deleted',
  'file.restored': 'File restored',
  'file.download_url_issued': 'Download',
  'upload_intent.created': 'Upload begun',
  'upload_intent.cancelled': 'Upload cancelled',
  'upload_intent.refused': 'Upload refused',
  'upload_intent.expired': 'Upload expired',
  'api_key.created': 'API key created',
  'api_key.revoked': 'API key revoked',
  'member.added': 'Member added',
  'tenant.created': 'Workspace created',
}

/** "Ada renamed a.pdf to b.pdf", in parts. */
export function sentenceOf(entry: Entry): readonly Part[] {
  const tell = Object.hasOwn(sentences, entry.action) ? sentences[entry.action] : undefined
  return [{ name: entry.actor.name }, ' ', ...(tell?.(entry) ?? unknownAction(entry))]
}

const subjectOf = ({ subject }: Entry): Part => (subject.name === null ? 'something' : { name: subject.name })

const about =
  (before: string, after = '') =>
  (entry: Entry): Part[] => [`${before} `, subjectOf(entry), ...(after ? [` ${after}`] : [])]

const textIn = (payload: Record<string, unknown>, key: string) => {
  const value = payload[key]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

const sentences: Readonly<Record<string, (entry: Entry) => readonly Part[]>> = {
  'file.uploaded': about('uploaded'),
  'file.version_added': (entry) => {
    const version = textIn(entry.payload, 'version')
    return about(version ? `uploaded version ${version} of` : 'uploaded a new version of')(entry)
  },
  'file.renamed': (entry) => {
    const [from, to] = [textIn(entry.payload, 'from'), textIn(entry.payload, 'to')]
    return from !== null && to !== null ? ['renamed ', { name: from }, ' to ', { name: to }] : about('renamed')(entry)
  },
  'file.deleted': about('moved', 'to the trash'),
  'file.restored': about('restored', 'from the trash'),
  'file.download_url_issued': about('got a download link for'),
  'upload_intent.created': about('began to upload'),
  'upload_intent.cancelled': about('cancelled the upload of'),
  'upload_intent.refused': (entry) => ['had the upload of ', subjectOf(entry), ' refused'],
  'upload_intent.expired': (entry) => ['let the upload of ', subjectOf(entry), ' expire'],
  'api_key.created': about('created the API key'),
  'api_key.revoked': about('revoked the API key'),
  'member.added': (entry) => {
    const role = textIn(entry.payload, 'role')
    return about('added', role ? `as ${role.toLowerCase()}` : '')(entry)
  },
  'tenant.created': about('created the workspace'),
}

/** What this console has no sentence for is told by its own name. */
const unknownAction = (entry: Entry): Part[] => [`did “${entry.action}” to `, subjectOf(entry)]
