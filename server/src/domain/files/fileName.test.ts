import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Invalid } from '../refusals.ts'
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
    'é'.repeat(255),
    '長'.repeat(100) + '.pdf',
    '年'.repeat(255),
    'ة'.repeat(255),
    '🎉'.repeat(255),
    '<img src=x onerror=alert(1)>.png',
  ])('is kept unchanged: %s', (name) => expect(acceptFileName(name)).toBe(name))

  it('has one spelling for equivalent characters', () => {
    expect(acceptFileName('Re\u0301sume\u0301.pdf')).toBe('Résumé.pdf')
  })

  it('counts composed characters, and reports the limit', () => {
    expect(acceptFileName('e\u0301'.repeat(255))).toBe('é'.repeat(255))
    const refusal = { message: 'The name may have at most 255 characters.', bound: 255 }
    expect(() => acceptFileName('x'.repeat(256))).toThrow(expect.objectContaining(refusal))
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
    ['256 characters', 'x'.repeat(256)],
    ['256 characters of Japanese', '年'.repeat(256)],
    ['256 emoji', '🎉'.repeat(256)],
    ['half a character', 'a\ud83c'],
  ])('is refused: %s', (_what, name) => {
    expect(() => acceptFileName(name)).toThrow(Invalid)
    expect(() => acceptFileName(name)).toThrow(expect.objectContaining({ field: 'name', code: 'VALIDATION' }))
  })

  it('puts only a short plain extension into object keys', () => {
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
