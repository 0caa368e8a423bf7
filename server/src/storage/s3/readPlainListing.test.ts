import { describe, expect, it } from 'vitest'
import { readPlainListing } from './readPlainListing.ts'

const object = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e-1&quot;</ETag><Size>5</Size>${more}</Contents>`
const listing = (content: string, start = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${start}<Name>files</Name><Prefix/>${content}</ListBucketResult>\n`
const whole = '<IsTruncated>false</IsTruncated>'

describe('a listing as stores write it', () => {
  it('is read with its objects, wherever they stand, and where it goes on', () => {
    const owner = '<Owner><ID>Key</ID><DisplayName>Size</DisplayName></Owner>'
    const next = '<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>'
    const xml = listing(`<EncodingType>url</EncodingType>${object('a%20b', owner)}\n  ${object('c&#x1;&#233;')}${next}`)
    expect(readPlainListing(xml)).toMatchObject({
      Name: 'files',
      IsTruncated: true,
      NextContinuationToken: 'a&b',
      EncodingType: 'url',
      Contents: [
        { Key: 'a%20b', ETag: '"e-1"', Size: 5, LastModified: new Date('2026-01-02T03:04:05.678Z') },
        { Key: 'c\u0001é', ETag: '"e-1"', Size: 5 },
      ],
    })
  })

  it('may be of nothing', () => {
    expect(readPlainListing(listing(`<KeyCount>0</KeyCount>${whole}`))).toMatchObject({
      Contents: [],
      IsTruncated: false,
    })
  })
})

it.each([
  ['that is cut off', listing(whole + object('a')).slice(0, -30)],
  ['that is cut off within an object', listing(`${whole}<Contents><Key>a</Key>`)],
  ['that names fewer objects than it counts', listing(`<KeyCount>2</KeyCount>${whole}${object('a')}`)],
  ['that does not say whether it is whole', listing(object('a'))],
  ['with an object without a size', listing(whole + object('a').replace('<Size>5</Size>', ''))],
  ['with a size that is none', listing(whole + object('a').replace('>5<', '>-5<'))],
  ['with a time that is none', listing(whole + object('a').replace('2026-01', 'soon'))],
  ['with attributes', listing(whole + object('a').replace('<Contents>', '<Contents id="1">'))],
  ['with a comment', listing(`<!-- ${object('a')} -->${whole}`)],
  ['with a section', listing(whole + object('<![CDATA[a]]>'))],
  ['with prefixed names', listing(`${whole}<s3:Contents/>`)],
  ['that is an error', '<Error><Code>InternalError</Code></Error>'],
  ['that is nothing', ''],
])('a document %s is left to a real parser', (_what, xml) => {
  expect(readPlainListing(xml)).toBeUndefined()
})
