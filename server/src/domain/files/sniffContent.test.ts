import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { contradiction, detectContent } from './sniffContent.ts'

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const utf8 = (text: string) => new Uint8Array(Buffer.from(text))
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

/** The first entry of an archive, stored without compression. */
function zipWith(name: string, content: string): Uint8Array {
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 'latin1')
  header.writeUInt16LE(20, 4)
  header.writeUInt32LE(content.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(name.length, 26)
  return join(header, utf8(name), utf8(content))
}
const isoMedia = (major: string, ...others: string[]) => {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(16 + others.length * 4)
  return join(size, latin1(`ftyp${major}\0\0\0\0${others.join('')}`), new Uint8Array(40))
}
const portableExecutable = join(latin1('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff'), new Uint8Array(100), latin1('PE\0\0'))
const png = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
)
const docx = zipWith(
  '[Content_Types].xml',
  '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
)
const compoundFile = join(latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), new Uint8Array(504))
const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const pdf = latin1('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n')

const honest: [string, string, Uint8Array][] = [
  ['an empty file', 'image/png', new Uint8Array(0)],
  ['a PNG', 'image/png', png],
  ['a PNG, declared with a parameter in upper case', 'IMAGE/PNG; a=b', png],
  ['a JPEG', 'image/jpeg', latin1('\xff\xd8\xff\xe0\0\x10JFIF\0')],
  ['a GIF', 'image/gif', latin1('GIF89a\x01\0\x01\0')],
  ['a WebP', 'image/webp', latin1('RIFF\x24\0\0\0WEBPVP8 ')],
  ['a HEIC of a phone', 'image/heic', isoMedia('heic', 'mif1', 'heic')],
  ['an AVIF with a general major brand', 'image/avif', isoMedia('mif1', 'avif', 'miaf')],
  ['an MP4', 'video/mp4', isoMedia('isom', 'iso2', 'mp41')],
  ['a MOV of a phone', 'video/quicktime', isoMedia('qt  ', 'qt  ')],
  ['a MOV without a file type box', 'video/quicktime', latin1('\0\0\0\x08wide\0\0\0\0mdat')],
  ['a PDF', 'application/pdf', pdf],
  ['a PDF after a byte order mark and a blank line', 'application/pdf', join(utf8('\ufeff\n'), pdf)],
  ['a word document', wordType, docx],
  ['a word document that is detected as an archive', wordType, zipWith('word/document.xml', '<w/>')],
  ['a word document behind a password', wordType, compoundFile],
  ['a word document, declared as an archive', 'application/zip', docx],
  ['an archive as Windows declares it', 'application/x-zip-compressed', zipWith('a.txt', 'a')],
  ['an empty archive', 'application/zip', latin1(`PK\x05\x06${'\0'.repeat(18)}`)],
  ['a Java archive that starts itself', 'application/java-archive', utf8('#!/bin/sh\nexec java -jar "$0"\n')],
  ['an e-book', 'application/epub+zip', zipWith('mimetype', 'application/epub+zip')],
  ['a gzip', 'application/gzip', new Uint8Array(gzipSync('a'))],
  ['a WAV', 'audio/wav', latin1('RIFF\x24\0\0\0WAVEfmt ')],
  ['an MP3 with a tag', 'audio/mpeg', latin1('ID3\x03\0\0\0\0\0\0')],
  ['an MP3 with padding before the sound', 'audio/mpeg', new Uint8Array(4_100)],
  ['an Ogg', 'audio/ogg', latin1('OggS\0\x02')],
  ['a web font', 'font/woff2', latin1('wOF2\0\x01\0\0')],
  ['a table that starts with PK', 'text/csv', utf8('PK,name\n1,a\n')],
  ['a table that starts with MZ', 'text/csv', utf8('MZ;Name\n1;a\n')],
  ['a table that starts with BM', 'text/csv', utf8('BMW,price\n')],
  ['a table as Windows declares it', 'application/vnd.ms-excel', utf8('a;b\n1;2\n')],
  ['a text of one letter', 'text/plain', utf8('a')],
  ['a text in Latin-1', 'text/plain', latin1('caf\xe9 \xfc\xff\n')],
  ['a text in UTF-16 with its mark', 'text/plain', new Uint8Array(Buffer.from('\ufeffhallo', 'utf16le'))],
  ['a text that is cut within a character', 'text/plain', utf8('é').subarray(0, 1)],
  ['a terminal recording', 'text/plain', utf8('\u001b[31mred\u001b[0m\n')],
  ['JSON with a byte order mark', 'application/json', utf8('\ufeff{"a":1}')],
  ['a drawing without prolog', 'image/svg+xml', utf8('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['a compressed drawing', 'image/svg+xml', new Uint8Array(gzipSync('<svg/>'))],
  ['a page', 'text/html', utf8('<!DOCTYPE html><p>')],
  ['a shell script', 'text/x-shellscript', utf8('#!/bin/sh\n')],
  ['a TypeScript source as browsers declare it', 'video/mp2t', utf8('#!/usr/bin/env tsx\nimport a from "a"\n')],
  ['a Windows program', 'application/x-msdownload', portableExecutable],
  ['a Linux program', 'application/x-elf', latin1('\x7fELF\x02\x01\x01')],
  ['a Java class', 'application/java-vm', latin1('\xca\xfe\xba\xbe\0\0\0\x41')],
  ['anything', 'application/octet-stream', portableExecutable],
  ['a format that nobody knows', 'application/x-our-own', latin1('\x01\x02\x03')],
]

const dishonest: [string, string, Uint8Array, RegExp][] = [
  ['a Windows program', 'image/png', portableExecutable, /a Windows executable, not image\/png/],
  ['a Windows program', 'text/plain', portableExecutable, /a Windows executable/],
  ['a Windows program', 'application/x-our-own', portableExecutable, /a Windows executable/],
  ['a Linux program', 'application/x-msdownload', latin1('\x7fELF\x02\x01\x01'), /a Linux executable/],
  ['a macOS program', 'application/zip', latin1('\xcf\xfa\xed\xfe\x07\0\0\x01'), /a macOS executable/],
  ['a universal macOS program', 'application/java-vm', latin1('\xca\xfe\xba\xbe\0\0\0\x02'), /a macOS executable/],
  ['a page', 'image/png', utf8('<!DOCTYPE html><script>'), /a web page, not image\/png/],
  ['a page after a comment', 'image/tiff', utf8('\ufeff <!-- a -->\n<HTML>'), /a web page/],
  ['a page', 'audio/mpeg', utf8('<script>alert(1)</script>'), /a web page/],
  ['a script', 'video/x-msvideo', utf8('#!/bin/sh\n'), /a script/],
  ['a page', 'application/pdf', utf8('<html><body>'), /a web page/],
  ['a text', 'image/jpeg', utf8('hello'), /text, not image\/jpeg/],
  ['a JPEG', 'image/png', latin1('\xff\xd8\xff\xe0\0\x10JFIF\0'), /image\/jpeg, not image\/png/],
  ['a movie', 'image/avif', isoMedia('isom', 'mp41'), /video\/mp4, not image\/avif/],
  ['a PNG', 'text/plain', png, /image\/png, not text\/plain/],
  ['a PDF', 'text/plain', pdf, /application\/pdf, not text\/plain/],
  ['a gzip', 'application/json', new Uint8Array(gzipSync('{}')), /gzip/],
  ['an archive', 'text/csv', zipWith('a.txt', 'a'), /application\/zip, not text\/csv/],
  ['bytes', 'text/csv', latin1('a,b\0c'), /not text\/csv/],
  ['a drawing', wordType, utf8('<svg/>'), /not application\/vnd/],
  ['two bytes', 'image/png', latin1('\x89P'), /not image\/png/],
]

describe('contradiction', () => {
  it.each(honest)('accepts %s as %s', async (_name, declared, bytes) => {
    expect(await contradiction(declared, bytes)).toBeNull()
  })

  it.each(dishonest)('refuses %s as %s', async (_name, declared, bytes, reason) => {
    expect(await contradiction(declared, bytes)).toMatch(reason)
  })

  it('takes a start that is a window into a larger buffer for what it is', async () => {
    const window = join(latin1('\0\0\0\0'), png).subarray(4)
    expect(await contradiction('image/png', window)).toBeNull()
    expect(await detectContent(window)).toBe('image/png')
  })
})

describe('detectContent', () => {
  it('tells formats by their bytes, and says nothing of text', async () => {
    expect(await detectContent(docx)).toBe(wordType)
    expect(await detectContent(pdf)).toBe('application/pdf')
    expect(await detectContent(portableExecutable)).toBe('application/x-msdownload')
    expect(await detectContent(utf8('MZ;Name\n'))).toBeNull()
    expect(await detectContent(new Uint8Array(0))).toBeNull()
  })

  it('answers for the program that runs this test', async () => {
    const start = (await readFile(process.execPath)).subarray(0, 4_100)
    expect(await contradiction('image/png', start)).toMatch(/executable/)
  })

  it('answers for any start that is cut off, and for one that is broken', async () => {
    for (const whole of [png, docx, pdf, isoMedia('heic', 'mif1'), new Uint8Array(gzipSync('a'.repeat(99)))]) {
      for (let length = 0; length <= whole.length; length += 1) await detectContent(whole.subarray(0, length))
      for (let index = 0; index < whole.length; index += 3) {
        const broken = whole.slice()
        broken[index] = 0xff
        await detectContent(broken)
      }
    }
  })
})
