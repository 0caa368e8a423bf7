import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Invalid } from '../refusals.ts'
import { acceptContentType, essenceOf, parseMediaType } from './mediaType.ts'
import { canonicalType, namesOf, synonyms } from './synonyms.ts'
import { expectedType, meantType, typeOfName } from './typeOfName.ts'
import { isAllowedType, typePrefix } from './typePattern.ts'

describe('acceptContentType', () => {
  it.each([
    ['application/pdf', 'application/pdf'],
    ['Image/PNG', 'image/png'],
    [' text/plain ', 'text/plain'],
    ['', 'application/octet-stream'],
    ['  ', 'application/octet-stream'],
    ['text/plain;charset=UTF-8', 'text/plain; charset=utf-8'],
    ['text/plain ; CHARSET="utf-8" ;', 'text/plain; charset=utf-8'],
    ['text/plain;charset=utf-8;charset=utf-7', 'text/plain; charset=utf-8'],
    ['text/csv; charset="iso-8859-1"', 'text/csv; charset=iso-8859-1'],
    ['text/csv; header=present; charset=utf-8', 'text/csv; charset=utf-8'],
    ['text/plain; charset=', 'text/plain'],
    ['text/plain; charset="a b"', 'text/plain'],
    ['text/plain; charset=ütf', 'text/plain'],
    ['text/html; q=1', 'text/html'],
    ['video/webm;codecs=vp9,opus', 'video/webm; codecs="vp9,opus"'],
    ['video/webm; codecs="vp9, opus"', 'video/webm; codecs="vp9,opus"'],
    ['video/webm;codecs=vp8', 'video/webm; codecs=vp8'],
    ['video/mp4; codecs="avc1.42E01E, mp4a.40.2"; profiles="isom"', 'video/mp4; codecs="avc1.42E01E,mp4a.40.2"'],
    ['audio/ogg; codecs=opus; charset=utf-8', 'audio/ogg; charset=utf-8; codecs=opus'],
    ['video/mp4; codecs="a\\"b"', 'video/mp4'],
    ['multipart/form-data; boundary=x', 'multipart/form-data'],
    ['application/pdf; name="a;b.pdf"', 'application/pdf'],
    ['application/soap+xml;version=1.2;action="urn:x"', 'application/soap+xml'],
  ])('stores %j as %s', (text, stored) => expect(acceptContentType(text)).toBe(stored))

  it.each([
    'pdf',
    '/pdf',
    'a/',
    'a/b/c',
    '*/*',
    'image/*',
    'text/html, image/png',
    'image/png text/html',
    'text/plain\r\nx: y',
    'text/pläin',
    'text/plain\0',
    '.a/b',
    `a/${'b'.repeat(300)}`,
    `text/plain; x=${'y'.repeat(300)}`,
  ])('refuses %j', (text) => expect(() => acceptContentType(text)).toThrow(Invalid))

  it('returns an accepted type unchanged, for any text', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'b', '/', ';', '=', '"', '\\', ' ', ',', '\t', '.', '-', '*', 'é', '\0', '\r\n'),
    })
    fc.assert(
      fc.property(part, fc.boolean(), (text, isTyped) => {
        const type = parseMediaType(isTyped ? `text/plain;charset=${text};codecs=${text}` : text)
        if (!type) return
        const stored = acceptContentType(isTyped ? `text/plain;charset=${text};codecs=${text}` : text)
        expect(stored).toMatch(/^[\x20-\x7e]+$/)
        expect(acceptContentType(stored)).toBe(stored)
        expect(essenceOf(stored)).toBe(type.essence)
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })
})

describe('synonyms', () => {
  it('each have one stored name, which is not a synonym itself', () => {
    const names = [...synonyms.keys()]
    for (const [name, stored] of synonyms) {
      expect(synonyms.has(stored)).toBe(false)
      expect(namesOf(stored).filter((each) => each === name)).toEqual([name])
      expect(acceptContentType(name)).toBe(name)
    }
    expect(names.length).toBeGreaterThan(400)
  })

  it.each([
    ['application/x-zip-compressed', 'application/zip'],
    ['text/xml', 'application/xml'],
    ['application/x-javascript', 'text/javascript'],
    ['image/pjpeg', 'image/jpeg'],
    ['audio/mp3', 'audio/mpeg'],
    ['application/x-font-ttf', 'font/ttf'],
    ['application/x-rar-compressed', 'application/vnd.rar'],
    ['application/msexcel', 'application/vnd.ms-excel'],
    ['application/x-our-own', 'application/x-our-own'],
  ])('stores %s as %s', (name, stored) => expect(canonicalType(name)).toBe(stored))
})

describe('the type of a name', () => {
  it.each([
    ['a.PDF', 'application/pdf'],
    ['a.tar.gz', 'application/gzip'],
    ['Résumé 你好.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['a.mp4', 'video/mp4'],
    ['a.heic', 'image/heic'],
    ['a.ico', 'image/vnd.microsoft.icon'],
    ['png', null],
    ['.png', null],
    ['..', null],
    ['a.', null],
    ['a.constructor', null],
    ['a.__proto__', null],
    ['a.unheardof', null],
  ])('for %s is %s', (name, type) => expect(typeOfName(name)).toBe(type))

  it('replaces a declared type that is wrong for the extension', () => {
    expect(meantType('a.csv', 'application/msexcel; charset=utf-8')).toMatchObject({
      essence: 'text/csv',
      charset: 'utf-8',
    })
    expect(meantType('a.xls', 'application/vnd.ms-excel').essence).toBe('application/vnd.ms-excel')
    expect(meantType('a.png', 'application/octet-stream').essence).toBe('application/octet-stream')
    expect(expectedType('a.png', 'application/octet-stream')).toBe('image/png')
  })
})

describe('the prefix of types', () => {
  it.each([
    ['image/*', 'image/'],
    ['image/', 'image/'],
    ['image', 'image/'],
    ['IMAGE/PNG', 'image/png'],
    ['image/p', 'image/p'],
    ['image/p*', 'image/p'],
    ['imag', 'imag'],
    ['x-world/*', 'x-world/'],
    ['application/x-zip-compressed', 'application/zip'],
    ['application/vnd.', 'application/vnd.'],
    ['text/plain; charset=utf-8', 'text/plain'],
    ['*/*', ''],
    ['*', ''],
    ['', ''],
    [' ', ''],
  ])('for %j is %j', (text, prefix) => expect(typePrefix(text)).toBe(prefix))

  it.each([
    '/',
    '/png',
    '*/png',
    'image//',
    'image/*/x',
    'im*ge',
    'image/**',
    '**',
    'nonsense',
    'image png',
    'ïmage/',
    'a/b/c',
    'image/%',
    'x'.repeat(300),
  ])('does not exist for %j', (text) => expect(typePrefix(text)).toBeNull())
})

describe('a list of allowed types', () => {
  it.each([
    [['application/zip'], 'application/x-zip-compressed'],
    [['application/x-zip-compressed'], 'application/zip'],
    [['application/x-zip-compressed'], 'application/x-zip'],
    [['text/'], 'application/xml'],
    [['text/'], 'text/xml'],
    [['font/'], 'application/x-font-ttf'],
    [['application/'], 'font/ttf'],
    [['image/'], 'image/webp'],
  ])('%j includes %s', (allowed, type) => expect(isAllowedType(allowed, type)).toBe(true))

  it.each([
    [['application/zip'], 'application/vnd.rar'],
    [['image/'], 'application/pdf'],
    [['image/'], 'image/pdf'],
    [['application/'], 'image/png'],
    [['text/'], 'application/zip'],
    [['image/png'], 'image/jpeg'],
    [[], 'image/png'],
  ])('%j does not include %s', (allowed, type) => expect(isAllowedType(allowed, type)).toBe(false))
})
