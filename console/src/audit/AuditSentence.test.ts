import { expect, test } from 'vitest'
import { sentenceOf } from './AuditSentence.tsx'

function read(action: string, payload: Record<string, unknown> = {}, name: string | null = 'a.pdf'): string {
  const actor = { id: '1', name: 'Ada', kind: 'USER', email: null } as const
  const parts = sentenceOf({ action, payload, actor, subject: { id: '2', type: 'file', name } })
  return parts.map((part) => (typeof part === 'string' ? part : part.name)).join('')
}

test('an entry reads as a sentence', () => {
  expect(read('file.renamed', { from: 'a.pdf', to: 'b.pdf' })).toBe('Ada renamed a.pdf to b.pdf')
  expect(read('file.version_added', { version: 3 })).toBe('Ada uploaded version 3 of a.pdf')
  expect(read('member.added', { role: 'VIEWER' }, 'Vic')).toBe('Ada added Vic as viewer')
})

test('actions on files in use, on hold and in the trash read as sentences', () => {
  const owner = { ownerType: 'invoice', ownerId: '42', slot: 'default' }
  expect(read('file.attached', owner)).toBe('Ada attached a.pdf to invoice 42')
  expect(read('file.detached', { ...owner, slot: 'scan' })).toBe('Ada detached a.pdf from invoice 42 as scan')
  expect(read('file.attached')).toBe('Ada attached a.pdf')
  expect(read('file.soft_deleted', { because: 'the last attachment was removed' })).toBe(
    'Ada moved a.pdf to the trash, since nothing uses it any more',
  )
  expect(read('file.deleted')).toBe(read('file.soft_deleted'))
  expect(read('file.retention_changed', { from: 'KEPT', to: 'WHILE_ATTACHED' })).toBe(
    'Ada set a.pdf to stay as long as something uses it',
  )
  expect(read('file.held', { reason: 'x' })).toBe('Ada put a.pdf under legal hold')
  expect(read('file.released')).toBe('Ada released a.pdf from legal hold')
  expect(read('file.purged')).toBe('Ada deleted a.pdf forever')
})

test('actions of sweeps read as sentences without a name', () => {
  expect(read('blob.purged', {}, null)).toBe('Ada deleted released bytes from the bucket')
  expect(read('blob.quarantined', { reason: 'MISSING' }, null)).toBe('Ada found bytes missing from the bucket')
  expect(read('blob.quarantined', { reason: 'DIFFERENT' }, null)).toBe('Ada found bytes that are not what was uploaded')
  expect(read('blob.cleared', {}, null)).toBe('Ada found bytes intact again')
  expect(read('orphan.deleted', {}, null)).toBe('Ada deleted an object without a file from the bucket')
  expect(read('cleanup.requested', { isDryRun: true }, 'PURGE_FILES')).toBe(
    'Ada requested a cleanup as a dry run: Empty the trash',
  )
  expect(read('cleanup.requested', { exceedsBrake: true }, 'SHRED')).toBe(
    'Ada requested a cleanup beyond the brake: shred',
  )
})

test('an action of a newer server is shown by name, and a payload of another shape is ignored', () => {
  expect(read('file.frozen')).toBe('Ada did “file.frozen” to a.pdf')
  expect(read('file.renamed', { from: {}, to: 7 })).toBe('Ada renamed a.pdf')
  expect(read('file.uploaded', {}, null)).toBe('Ada uploaded something')
  expect(read('toString')).toBe('Ada did “toString” to a.pdf')
})

test('names are separate from the words around them', () => {
  const actor = { id: '1', name: 'Ada', kind: 'USER', email: null } as const
  const parts = sentenceOf({
    action: 'file.soft_deleted',
    payload: {},
    actor,
    subject: { id: '2', type: 'file', name: '<b>' },
  })
  expect(parts).toEqual([{ name: 'Ada' }, ' ', 'moved ', { name: '<b>' }, ' to the trash'])
})
