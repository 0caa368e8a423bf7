import { expect, test } from 'vitest'
import { declaredType, essenceOf } from './declaredType.ts'
import { provedInstead } from './uploadWork.ts'

test('the type of the browser is declared unchanged, and an empty or malformed one is left to the server', () => {
  expect(declaredType({ type: 'text/plain' })).toBe('text/plain')
  expect(declaredType({ type: 'video/webm;codecs=vp9,opus' })).toBe('video/webm;codecs=vp9,opus')
  for (const type of ['', 'x', '/', 'text/', ' ;charset=utf-8', 'a b/c', 'text/plain\n']) {
    expect(declaredType({ type })).toBe('')
  }
  expect(essenceOf('Text/HTML; charset=UTF-8')).toBe('text/html')
})

const png = new Blob(['\x89PNG\r\n\x1a\n'].map((text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))))

test('bytes that contradict the declared type are found before they are sent', async () => {
  expect(await provedInstead(png, 'application/pdf')).toBe('image/png')
  expect(await provedInstead(png, 'video/mp4;codecs=avc1')).toBe('image/png')
})

test('bytes that the server would accept or correct are not refused', async () => {
  for (const declared of ['image/png', 'image/jpeg', 'text/plain', 'application/zip', 'application/x-unheard-of', '']) {
    expect(await provedInstead(png, declared)).toBeNull()
  }
  expect(await provedInstead(new Blob(['%PDF-1.7 is the header']), 'image/png')).toBeNull()
  expect(await provedInstead(new Blob([]), 'image/png')).toBeNull()
})
