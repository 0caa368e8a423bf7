import { expect, test } from 'vitest'
import { sentenceOf } from './sentenceOf.ts'

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

test('an action of a newer server is told by its name, and a payload of another shape changes nothing', () => {
  expect(read('file.frozen')).toBe('Ada did “file.frozen” to a.pdf')
  expect(read('file.renamed', { from: {}, to: 7 })).toBe('Ada renamed a.pdf')
  expect(read('file.uploaded', {}, null)).toBe('Ada uploaded something')
  expect(read('toString')).toBe('Ada did “toString” to a.pdf')
})

test('names are kept apart from the words around them', () => {
  const actor = { id: '1', name: 'Ada', kind: 'USER', email: null } as const
  const parts = sentenceOf({
    action: 'file.deleted',
    payload: {},
    actor,
    subject: { id: '2', type: 'file', name: '<b>' },
  })
  expect(parts).toEqual([{ name: 'Ada' }, ' ', 'moved ', { name: '<b>' }, ' to the trash'])
})
