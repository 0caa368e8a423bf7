import { expect, test } from 'vitest'
import { paths, readAuditState, readCleanupState, readFilesState, returnPlace } from './paths.ts'

const queryOf = (path: string) => new URL(path, 'http://x').searchParams

test('a page reads the address that it writes', () => {
  const files = { type: 'images', by: 'a=b&c', file: 'é🎉' }
  expect(readFilesState(queryOf(paths.files('acme', files)))).toEqual(files)
  const audit = { action: 'file.renamed', actor: '1', subject: '2', from: '2026-01-01', until: '2026-02-01' }
  expect(readAuditState(queryOf(paths.audit('acme', audit)))).toEqual(audit)
  const cleanup = { kind: 'PURGE_FILES' }
  expect(readCleanupState(queryOf(paths.cleanup('acme', cleanup)))).toEqual(cleanup)
})

test('an address without filters has no question mark', () => {
  expect(paths.files('acme', { type: '', by: undefined })).toBe('/t/acme/files')
})

test('a tenant in the address is escaped', () => {
  expect(paths.trash('../x?y')).toBe('/t/..%2Fx%3Fy/trash')
})

test('signing in returns to a page of the console, and never to another site', () => {
  const backTo = (to: string) => returnPlace(queryOf(paths.signIn(to)))
  expect(backTo('/t/acme/audit?action=file.renamed')).toBe('/t/acme/audit?action=file.renamed')
  for (const foreign of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/a\\b']) {
    expect(backTo(foreign)).toBe('/')
  }
  expect(backTo('/sign-in?to=/sign-in')).toBe('/')
})
