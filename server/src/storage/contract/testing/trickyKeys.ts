import fc from 'fast-check'

const segment = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 0, maxLength: 12 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    ' ',
    '+',
    '%',
    '%2F',
    '%00',
    'a b',
    'A',
    'a',
    'é',
    'e\u0301',
    '🎉',
    '\ud7ff',
    '\uffff',
    '~',
    'con',
    '*',
    'a\\b',
    '&amp;',
  ),
  fc.nat(300).map((length) => 'long'.repeat(100).slice(0, length)),
)

/**
 * Keys that have broken object stores: escapes, dots, empty segments, twins by case or by normal form, and long ones.
 * Control characters stay out (XML has no way to list them), and so does U+FFFD, the replacement character.
 */
export const trickyKeys = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/').replaceAll(/[\u0000-\u001f\u007f-\u009f\ufffd\ufffe\uffff]/g, '-'))
  .filter((key) => key !== '' && key.isWellFormed() && Buffer.byteLength(key) < 900)
