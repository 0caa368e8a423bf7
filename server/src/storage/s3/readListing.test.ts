import { describe, expect, it } from 'vitest'
import { readListing } from './readListing.ts'

const object = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e-1&quot;</ETag><Size>5</Size>${more}</Contents>`
const listing = (content: string, start = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${start}<Name>files</Name><Prefix/>${content}</ListBucketResult>\n`
const whole = '<IsTruncated>false</IsTruncated>'
const a = { Key: 'a', ETag: '"e-1"', Size: 5, LastModified: new Date('2026-01-02T03:04:05.678Z') }

describe('a listing', () => {
  it('names its objects and its next page', () => {
    const owner = '<Owner><ID>Key</ID><DisplayName>Size</DisplayName></Owner>'
    const next = '<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>'
    const xml = listing(`<EncodingType>url</EncodingType>${object('a%20b', owner)}\n  ${object('c&#x1;&#233;')}${next}`)
    expect(readListing(xml)).toEqual({
      $metadata: {},
      Name: 'files',
      IsTruncated: true,
      NextContinuationToken: 'a&b',
      EncodingType: 'url',
      Contents: [
        { ...a, Key: 'a%20b' },
        { ...a, Key: 'c\u0001é' },
      ],
    })
  })

  it.each([
    ['no object', `<KeyCount>0</KeyCount>${whole}`, []],
    ['one object', `<KeyCount>1</KeyCount>${whole}${object('a')}`, [a]],
    ['attributes', whole + object('a').replace('<Contents>', '<Contents id="1">'), [a]],
    ['a comment', `<!-- ${object('b')} -->${whole}${object('a')}`, [a]],
    ['a CDATA section', whole + object('<![CDATA[a]]>'), [a]],
  ])('can have %s', (_what, content, objects) => {
    expect(readListing(listing(content)).Contents).toEqual(objects)
  })

  it.each([
    ['a size that is not a number', object('a').replace('>5<', '>-5<'), { Size: undefined }],
    ['no time', object('a').replace('2026-01', 'soon'), { LastModified: undefined }],
    ['no ETag', object('a').replace(/<ETag>.*<\/ETag>/, ''), { ETag: undefined }],
  ])('leaves out what an object with %s does not tell', (_what, content, missing) => {
    expect(readListing(listing(whole + content)).Contents).toEqual([{ ...a, ...missing }])
  })
})

it.each([
  ['is cut off', listing(whole + object('a')).slice(0, -30)],
  ['is cut off within an object', `${listing('').slice(0, -20)}<Contents><Key>a</Key>`],
  ['has an object of another form', listing(`${whole}<Contents><Key><Name>a</Name></Key></Contents>`)],
  ['is an error', '<Error><Code>InternalError</Code></Error>'],
  ['is a web page', '<!doctype html><html><body>Welcome</body></html>'],
  ['is empty', ''],
])('refuses a document that %s', (_what, xml) => {
  expect(() => readListing(xml)).toThrow()
})
