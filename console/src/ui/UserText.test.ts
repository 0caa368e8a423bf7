import { expect, it } from 'vitest'
import { isolate, splitName } from './UserText.tsx'

it.each([
  ['short names at their ending', 'a.pdf', 'a', '.pdf'],
  ['double endings', 'backup.tar.gz', 'backup', '.tar.gz'],
  ['long names a little before it', 'quarterly report final v2.pdf', 'quarterly report fina', 'l v2.pdf'],
  [
    'long Chinese names too',
    '二〇二六年第四季度财务报告最终修订版第三稿已经批准.docx',
    '二〇二六年第四季度财务报告最终修订版第三稿',
    '已经批准.docx',
  ],
  ['names without an ending nowhere', 'Makefile', 'Makefile', ''],
  ['hidden files nowhere', '.gitignore', '.gitignore', ''],
  ['what is not an ending nowhere', 'Meeting notes 3. November, all of us', 'Meeting notes 3. November, all of us', ''],
])('cuts %s', (_what, name, start, end) => {
  expect(splitName(name)).toEqual({ start, end })
})

it('never cuts between letters that join, or inside a grapheme', () => {
  const arabic = 'عقد الإيجار النهائي لن يُحذف ما دام مستخدما.pdf'
  expect(splitName(arabic)).toEqual({ start: arabic.slice(0, -4), end: '.pdf' })
  const family = `${'x'.repeat(30)}👨‍👩‍👧.png`
  expect(splitName(family).end).toBe('.png')
  const accents = `${'x'.repeat(30)}e\u0301.png`
  expect(splitName(accents).end).toBe('.png')
})

it('keeps every character of a name', () => {
  for (const name of ['', '.', 'a.', '..a', 'a'.repeat(255), `${'漢'.repeat(250)}.txt`]) {
    const { start, end } = splitName(name)
    expect(start + end).toBe(name)
  }
})

it('isolates names that run from right to left, and does not change others', () => {
  expect(isolate('report.pdf')).toBe('report.pdf')
  expect(isolate('مرحبا.txt')).toBe('\u2068مرحبا.txt\u2069')
  expect(isolate('report שלום.pdf')).toBe('\u2068report שלום.pdf\u2069')
})
