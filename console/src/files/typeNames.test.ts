import { expect, it } from 'vitest'
import { typeNameOf } from './typeNames.ts'

it.each([
  ['application/pdf', 'a.pdf', 'PDF'],
  ['image/png', 'a', 'PNG image'],
  ['image/jpeg', 'a.jpg', 'JPEG image'],
  ['image/heic', 'a.heic', 'HEIC image'],
  ['image/x-portable-anymap', 'a.pnm', 'PNM image'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'a.docx', 'Word document'],
  ['application/zip', 'a.zip', 'ZIP archive'],
  ['text/plain; charset=utf-8', 'a.txt', 'Text'],
  ['text/x-unknown-language', 'a.zig', 'ZIG file'],
  ['video/webm;codecs=vp9', 'a.webm', 'WEBM video'],
  ['application/octet-stream', 'firmware.bin', 'BIN file'],
  ['application/octet-stream', 'no ending', 'File'],
  ['application/octet-stream', '.bashrc', 'File'],
  ['application/x-مجهول', 'ملف.بيانات', 'بيانات file'],
  ['', '', 'File'],
  ['constructor', 'x', 'File'],
  ['__proto__/x', 'x', 'File'],
])('calls %s in %s a %s', (contentType, name, words) => {
  expect(typeNameOf(contentType, name)).toBe(words)
})
