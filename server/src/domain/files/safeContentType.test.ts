import { describe, expect, it } from 'vitest'
import { servedContentType } from './downloadHeaders.ts'

describe('servedContentType', () => {
  it.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'application/xhtml+xml',
    'image/svg+xml',
    'image/SVG+XML;a=b',
    'text/xml',
    'application/atom+xml',
    'application/javascript',
    'text/javascript1.5',
    'application/x-shockwave-flash',
    'multipart/related',
    'message/rfc822',
    'application/wasm',
    'text/css',
    'text/xml-svg',
    'application/svg',
    'text/livescript',
    'application/x-php',
    'application/html',
  ])('serves %s, which could run in a browser, as opaque bytes and never inline', (contentType) => {
    expect(servedContentType(contentType)).toEqual({ contentType: 'application/octet-stream', inlineAllowed: false })
  })

  it.each([
    '',
    'text',
    '/',
    'text/',
    'image/png, text/html',
    'image/png text/html',
    'image/png\u0000',
    'a/b/c',
    'ïmage/png',
    '*/*',
  ])('serves the malformed type %j as opaque bytes', (contentType) => {
    expect(servedContentType(contentType)).toEqual({ contentType: 'application/octet-stream', inlineAllowed: false })
  })

  it.each(['image/png', 'image/webp', 'audio/mpeg', 'video/mp4', 'application/pdf'])(
    'lets a browser show %s inline',
    (contentType) => {
      expect(servedContentType(`${contentType.toUpperCase()}; x=y`)).toEqual({ contentType, inlineAllowed: true })
    },
  )

  it.each([
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/plain; charset=UTF-8', 'text/plain; charset=utf-8'],
    ['text/plain; charset=iso-8859-1', 'text/plain; charset=iso-8859-1'],
    ['text/plain; charset=shift_jis', 'text/plain; charset=shift_jis'],
    ['text/plain; charset=utf-16le', 'text/plain; charset=utf-16le'],
  ])('shows %s inline in its charset, by default UTF-8', (declared, contentType) => {
    expect(servedContentType(declared)).toEqual({ contentType, inlineAllowed: true })
  })

  it.each([
    'utf-7',
    'UTF7',
    'iso-2022-jp',
    'iso-2022-kr',
    'csISO2022JP',
    'hz-gb-2312',
    'utf-32',
    'x-user-defined',
    'nonsense',
  ])('never shows text inline in %s, which can hide markup or is unknown to browsers', (charset) => {
    const served = { contentType: 'text/plain', inlineAllowed: false }
    expect(servedContentType(`text/plain; charset=${charset}`)).toEqual(served)
  })

  it('keeps the charset of tables and the codecs of movies', () => {
    expect(servedContentType('text/csv; charset=windows-1252').contentType).toBe('text/csv; charset=windows-1252')
    expect(servedContentType('video/webm; codecs="vp9,opus"')).toEqual({
      contentType: 'video/webm; codecs="vp9,opus"',
      inlineAllowed: true,
    })
  })

  it.each([
    ['image/pjpeg', 'image/jpeg', true],
    ['application/x-zip-compressed', 'application/zip', false],
    ['audio/x-wav', 'audio/wav', true],
  ])('serves %s from older rows as %s', (stored, contentType, inlineAllowed) => {
    expect(servedContentType(stored)).toEqual({ contentType, inlineAllowed })
  })

  it.each(['application/zip', 'text/csv', 'application/json', 'application/octet-stream', 'font/woff2'])(
    'keeps the type of %s, as an attachment',
    (contentType) => {
      expect(servedContentType(contentType)).toEqual({ contentType, inlineAllowed: false })
    },
  )
})
