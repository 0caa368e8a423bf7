import { expect, test } from 'vitest'
import { chooseLocale } from './locale.ts'

const formatsFor = (...preferred: string[]) => chooseLocale(preferred).formats

test('English texts are shown in every language that has no catalogue', () => {
  for (const tag of [
    'de-DE',
    'ar-EG',
    'he',
    'fa-IR',
    'th-TH-u-ca-buddhist',
    'tr',
    'zh-Hant-TW',
    'tlh',
    'eng-x',
    'art-x-en',
  ]) {
    expect(chooseLocale([tag])).toMatchObject({ language: 'en', direction: 'ltr' })
  }
})

test('the first English variant that the reader prefers decides how numbers and dates look', () => {
  expect(formatsFor('en-GB', 'en-US')).toBe('en-GB-u-ca-gregory-nu-latn')
  expect(formatsFor('de-DE', 'de', 'en-AU', 'en')).toBe('en-AU-u-ca-gregory-nu-latn')
  expect(formatsFor('de-DE')).toBe('en-u-ca-gregory-nu-latn')
})

test('a tag that Intl does not accept is skipped', () => {
  const odd = [
    '',
    'C',
    'POSIX',
    'en-US@posix',
    'en_US',
    'x-klingon',
    'i-klingon',
    '*',
    'en-',
    'constructor',
    '__proto__',
  ]
  for (const tag of odd) expect(formatsFor(tag)).toBe('en-u-ca-gregory-nu-latn')
  expect(formatsFor(...odd, 'en-IN')).toBe('en-IN-u-ca-gregory-nu-latn')
  expect(formatsFor()).toBe('en-u-ca-gregory-nu-latn')
})

test('digits and calendar are those of the texts for every tag and region', () => {
  for (const tag of ['en-TH-u-ca-buddhist-nu-thai', 'en-IR-u-ca-persian', 'en-EG-u-nu-arab', 'en-SA', 'en-US-posix']) {
    const formats = formatsFor(tag)
    expect(new Intl.NumberFormat(formats).format(1_234_567)).toBe('1,234,567')
    expect(new Intl.DateTimeFormat(formats, { dateStyle: 'full', timeZone: 'UTC' }).format(0)).toContain('1970')
  }
})
