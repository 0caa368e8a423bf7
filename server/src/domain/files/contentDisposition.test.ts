import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentDisposition } from './downloadHeaders.ts'

const decoded = (header: string) => decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(header)?.[1] ?? '')

describe('contentDisposition', () => {
  it('keeps every ASCII character that has no special meaning in a quoted string or a path', () => {
    for (let code = 0; code < 128; code += 1) {
      const character = String.fromCharCode(code)
      const isCarried = code >= 0x20 && code < 0x7f && !'"%/\\'.includes(character)
      const plain = `attachment; filename="a${character}b"`
      expect(contentDisposition('attachment', `a${character}b`) === plain).toBe(isCarried)
    }
  })

  it('quotes a plain name and adds nothing', () => {
    expect(contentDisposition('attachment', 'report 2026.pdf')).toBe('attachment; filename="report 2026.pdf"')
    expect(contentDisposition('inline', "it's (1) a; b, c.txt")).toBe(`inline; filename="it's (1) a; b, c.txt"`)
  })

  it('encodes any other name completely, beside an ASCII fallback', () => {
    const name = 'Résumé “final” 你好 100% 🎉.pdf'
    const header = contentDisposition('attachment', name)
    expect(header).toBe(
      `attachment; filename="Resume _final_ __ 100_ _.pdf"; filename*=UTF-8''R%C3%A9sum%C3%A9%20%E2%80%9Cfinal%E2%80%9D%20%E4%BD%A0%E5%A5%BD%20100%25%20%F0%9F%8E%89.pdf`,
    )
    expect(decoded(header)).toBe(name)
  })

  it('removes quotes, line breaks and path separators', () => {
    const header = contentDisposition('attachment', 'a"; filename=evil.exe\r\nset-cookie: x=1\\..\\/b.txt')
    expect(header).toMatch(/^attachment; filename="[^"\\/\r\n]*"; filename\*=UTF-8''[^\r\n'"\\/ ]*$/)
    expect(decoded(header)).toBe('a"; filename=evil.exe__set-cookie: x=1_.._\u005fb.txt')
  })

  it('does not turn a full-width slash or its ASCII equivalent into a separator', () => {
    expect(contentDisposition('attachment', 'a／b')).toContain('filename="a_b"')
  })

  it('keeps decomposed and composed names distinct', () => {
    const [composed, decomposed] = ['e\u0301'.normalize('NFC'), 'e\u0301']
    expect(decoded(contentDisposition('attachment', composed))).toBe(composed)
    expect(decoded(contentDisposition('attachment', decomposed))).toBe(decomposed)
  })

  it('replaces a lone surrogate, and gives an empty name a default', () => {
    expect(decoded(contentDisposition('attachment', 'a\ud83c.txt'))).toBe('a\ufffd.txt')
    expect(contentDisposition('attachment', '')).toBe('attachment; filename="download"')
  })

  it.each([
    ['Japanese', '年'.repeat(251) + '.pdf'],
    ['Arabic', 'ة'.repeat(251) + '.pdf'],
    ['accents', 'é'.repeat(251) + '.pdf'],
  ])('encodes 255 characters of %s completely', (_script, name) => {
    const header = contentDisposition('attachment', name)
    expect(decoded(header)).toBe(name)
    expect(header.length).toBeLessThanOrEqual(2_560)
    expect(header).toMatch(/^attachment; filename="[ -~]+\.pdf"; /)
  })

  it.each([
    ['🎉'.repeat(251) + '.pdf', /^(🎉)+\.pdf$/u, 200],
    ['年%'.repeat(120) + '🎉'.repeat(11) + '.pdf', /\.pdf$/, 240],
    ['🎉'.repeat(255), /^(🎉)+$/u, 200],
    ['🎉.' + '年'.repeat(253), /^🎉\.年+$/u, 240],
  ])('shortens %s before its extension, at a whole character', (name, shape, least) => {
    const header = contentDisposition('attachment', name)
    expect(header.length).toBeLessThanOrEqual(2_560)
    expect(decoded(header)).toMatch(shape)
    expect(Array.from(decoded(header)).length).toBeGreaterThanOrEqual(least)
  })

  it('is one valid ASCII line for any text, and decodes to any valid name', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
    const shape =
      /^inline; filename="[\x20\x21\x23-\x5b\x5d-\x7e]+"(; filename\*=UTF-8''([\w!#$&+.^`|~-]|%[0-9A-F]{2})+)?$/
    fc.assert(
      fc.property(text, (name) => {
        const header = contentDisposition('inline', name)
        expect(header).toMatch(shape)
        if (header.includes('filename*')) expect(decoded(header)).toBe(name.replace(/[\p{Cc}/\\]/gu, '_'))
      }),
      { numRuns: 500, seed: 7 },
    )
  })
})
