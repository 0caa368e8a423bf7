import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Invalid } from '../refusals.ts'
import { acceptContentType } from './contentType.ts'
import { acceptFileName, plainExtension } from './fileName.ts'

describe('a file name', () => {
  it.each([
    'a.pdf',
    'Résumé “final” 你好 100% 🎉.pdf',
    'تقرير السنة 🎉.pdf',
    '👨‍👩‍👧‍👦.png',
    '...',
    '.env',
    'a"b;c=d.txt',
    ' leading and trailing ',
    'x'.repeat(255),
    'é'.repeat(127),
    '<img src=x onerror=alert(1)>.png',
  ])('is kept as it was written: %s', (name) => expect(acceptFileName(name)).toBe(name))

  it('has one spelling for what looks the same', () => {
    expect(acceptFileName('Re\u0301sume\u0301.pdf')).toBe('Résumé.pdf')
  })

  it.each([
    ['empty', ''],
    ['only spaces', ' \u00a0\u3000'],
    ['only invisible characters', '\u200b\u200d'],
    ['a NUL', 'a\0.pdf'],
    ['a line break', 'a\r\nb.pdf'],
    ['a control character', 'a\u0085.pdf'],
    ['an override of the direction', 'invoice\u202Efdp.exe'],
    ['an isolate', 'a\u2066b'],
    ['a line separator', 'a\u2028b'],
    ['a slash', 'a/b'],
    ['a backslash', 'a\\b'],
    ['this folder', '.'],
    ['the folder above', '..'],
    ['256 bytes', 'x'.repeat(256)],
    ['256 bytes of emoji', '🎉'.repeat(64)],
    ['half a character', 'a\ud83c'],
  ])('is refused: %s', (_what, name) => {
    expect(() => acceptFileName(name)).toThrow(Invalid)
    expect(() => acceptFileName(name)).toThrow(expect.objectContaining({ field: 'name', code: 'VALIDATION' }))
  })

  it('gives object keys nothing but a short plain extension', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(plainExtension(name)).toMatch(/^[a-z0-9]{1,10}$/)
      }),
    )
    expect(plainExtension('a.PDF')).toBe('pdf')
    expect(plainExtension('a.tar.gz')).toBe('gz')
    expect(plainExtension('a./../b')).toBe('bin')
  })
})

describe('a content type', () => {
  it.each([
    ['application/pdf', 'application/pdf'],
    ['Image/PNG', 'image/png'],
    [' text/plain ', 'text/plain'],
    ['text/plain;charset=UTF-8', 'text/plain; charset=utf-8'],
    ['text/csv; charset="iso-8859-1"', 'text/csv; charset=iso-8859-1'],
    [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
  ])('has one spelling: %s', (text, kept) => expect(acceptContentType(text)).toBe(kept))

  it.each([
    '',
    'pdf',
    '/pdf',
    'a/',
    'a/b/c',
    '*/*',
    'image/*',
    'text/html, image/png',
    'text/html; q=1',
    'text/html; charset=utf-8; boundary=x',
    'text/plain\r\nx: y',
    'text/pläin',
    `a/${'b'.repeat(300)}`,
    'text/plain\0',
  ])('is refused when it is none: %s', (text) => expect(() => acceptContentType(text)).toThrow(Invalid))
})
