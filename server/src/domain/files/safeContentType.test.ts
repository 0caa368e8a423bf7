import { describe, expect, it } from 'vitest'
import { servedContentType } from './safeContentType.ts'

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
  ])('serves %s, which could run in a browser, as opaque bytes and never in place', (contentType) => {
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
    'lets a browser show %s in place',
    (contentType) => {
      expect(servedContentType(`${contentType.toUpperCase()}; x=y`)).toEqual({ contentType, inlineAllowed: true })
    },
  )

  it('declares plain text as UTF-8, whatever it was declared as', () => {
    const expected = { contentType: 'text/plain; charset=utf-8', inlineAllowed: true }
    expect(servedContentType('text/plain')).toEqual(expected)
    expect(servedContentType('text/plain; charset=utf-7')).toEqual(expected)
  })

  it.each(['application/zip', 'text/csv', 'application/json', 'application/octet-stream', 'font/woff2'])(
    'keeps the type of %s, as an attachment',
    (contentType) => {
      expect(servedContentType(contentType)).toEqual({ contentType, inlineAllowed: false })
    },
  )
})
