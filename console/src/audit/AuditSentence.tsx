import type { AuditRowFragment } from '../apollo/operations.ts'
import { nameOfKind } from '../cleanup/cleanupWords.ts'

/** Words of the console, or a text that people wrote. The screen keeps the two apart. */
type Part = string | { readonly name: string }

type Entry = Pick<AuditRowFragment, 'action' | 'subject' | 'payload' | 'actor'>

/** The actions that people can filter by. The log of a newer server may have others. */
export const actionNames: Readonly<Record<string, string>> = {
  'file.uploaded': 'File uploaded',
  'file.version_added': 'New version uploaded',
  'file.renamed': 'File renamed',
  'file.soft_deleted': 'File deleted',
  'file.restored': 'File restored',
  'file.download_url_issued': 'Download',
  'file.attached': 'File attached',
  'file.detached': 'File detached',
  'file.retention_changed': 'Retention changed',
  'file.held': 'Legal hold placed',
  'file.released': 'Legal hold released',
  'file.purged': 'File deleted forever',
  'blob.purged': 'Bytes deleted',
  'blob.quarantined': 'Bytes found damaged',
  'blob.cleared': 'Bytes found intact again',
  'orphan.deleted': 'Unknown object deleted',
  'cleanup.requested': 'Cleanup requested',
  'upload_intent.created': 'Upload started',
  'upload_intent.cancelled': 'Upload cancelled',
  'upload_intent.refused': 'Upload refused',
  'upload_intent.expired': 'Upload expired',
  'api_key.created': 'API key created',
  'api_key.revoked': 'API key revoked',
  'member.added': 'Member added',
  'member.role_changed': 'Role changed',
  'member.removed': 'Member removed',
  'member.password_set': 'Password replaced',
  'tenant.created': 'Workspace created',
  'tenant.updated': 'Workspace changed',
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

/** " to “invoice 42” as “scan”": the row that uses a file, as the host application names it. */
function ownerIn(payload: Record<string, unknown>, word: 'to' | 'from'): Part[] {
  const [type, id, slot] = ['ownerType', 'ownerId', 'slot'].map((key) => textIn(payload, key))
  if (!type || !id) return []
  return [` ${word} `, { name: `${type} ${id}` }, ...(slot && slot !== 'default' ? [' as ', { name: slot }] : [])]
}

const movedToTrash = (entry: Entry) =>
  about('moved', 'because' in entry.payload ? 'to the trash, since nothing uses it any more' : 'to the trash')(entry)

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
  'file.soft_deleted': movedToTrash,
  // Written before version 0.2.0.
  'file.deleted': movedToTrash,
  'file.restored': about('restored', 'from the trash'),
  'file.download_url_issued': about('got a download link for'),
  'file.attached': (entry) => ['attached ', subjectOf(entry), ...ownerIn(entry.payload, 'to')],
  'file.detached': (entry) => ['detached ', subjectOf(entry), ...ownerIn(entry.payload, 'from')],
  'file.retention_changed': (entry) => {
    const stays =
      entry.payload['to'] === 'WHILE_ATTACHED' ? 'as long as something uses it' : 'until somebody deletes it'
    return about('set', `to stay ${stays}`)(entry)
  },
  'file.held': about('put', 'under legal hold'),
  'file.released': about('released', 'from legal hold'),
  'file.purged': about('deleted', 'forever'),
  'blob.purged': () => ['deleted released bytes from the bucket'],
  'blob.quarantined': ({ payload }) => [
    payload['reason'] === 'MISSING'
      ? 'found bytes missing from the bucket'
      : 'found bytes that are not what was uploaded',
  ],
  'blob.cleared': () => ['found bytes intact again'],
  'orphan.deleted': () => ['deleted an object without a file from the bucket'],
  'cleanup.requested': ({ subject, payload }) => {
    const how =
      payload['exceedsBrake'] === true ? ' beyond the brake' : payload['isDryRun'] === true ? ' as a dry run' : ''
    return [`requested a cleanup${how}: ${nameOfKind(subject.name ?? 'unknown')}`]
  },
  'upload_intent.created': about('started to upload'),
  'upload_intent.cancelled': about('cancelled the upload of'),
  'upload_intent.refused': (entry) => ['had the upload of ', subjectOf(entry), ' refused'],
  'upload_intent.expired': (entry) => ['let the upload of ', subjectOf(entry), ' expire'],
  'api_key.created': about('created the API key'),
  'api_key.revoked': about('revoked the API key'),
  'member.added': (entry) => {
    const role = textIn(entry.payload, 'role')
    return about('added', role ? `as ${role.toLowerCase()}` : '')(entry)
  },
  'member.role_changed': (entry) => {
    const role = textIn(entry.payload, 'to')
    return about('changed the role of', role ? `to ${role.toLowerCase()}` : '')(entry)
  },
  'member.removed': about('removed', 'from the workspace'),
  'member.password_set': about('replaced the password of'),
  'tenant.created': about('created the workspace'),
  'tenant.updated': about('changed the settings of the workspace'),
}

/** Actions without a sentence in this console are shown by name. */
const unknownAction = (entry: Entry): Part[] => [`did “${entry.action}” to `, subjectOf(entry)]

/** "Ada renamed “a.pdf” to “b.pdf”". The quotes are outside of the isolated names, which may run from right to left. */
export const AuditSentence = ({ entry }: { entry: AuditRowFragment }) =>
  sentenceOf(entry).map((part, at) => {
    if (typeof part === 'string') return part
    if (at === 0) return <bdi key={at}>{part.name}</bdi>
    return (
      <span key={at}>
        “<bdi>{part.name}</bdi>”
      </span>
    )
  })
