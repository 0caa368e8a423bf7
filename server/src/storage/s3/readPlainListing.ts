import type { _Object, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'

/**
 * Parses a ListObjectsV2 response in the form that stores usually write: known elements without attributes, text
 * without comments or CDATA sections. Returns undefined for any other document, which needs a full XML parser, and for
 * an incomplete one. It does not validate the values.
 */
export function readPlainListing(xml: string): ListObjectsV2CommandOutput | undefined {
  if (!xml.trimEnd().endsWith('</ListBucketResult>') || /<!|<[\w-]+:|<(?:Contents|Key|IsTruncated)[\s/]/.test(xml)) {
    return undefined
  }
  const [first = '', ...pieces] = xml.split('<Contents>')
  const Contents: _Object[] = []
  let rest = first
  for (const piece of pieces) {
    const end = piece.indexOf('</Contents>')
    const object = end < 0 ? undefined : readObject(piece.slice(0, end))
    if (!object) return undefined
    Contents.push(object)
    if (piece.length > end + '</Contents>'.length) rest += piece.slice(end)
  }
  const isTruncated = textOf(rest, 'IsTruncated')
  const keyCount = textOf(rest, 'KeyCount')
  if (isTruncated !== 'true' && isTruncated !== 'false') return undefined
  if (keyCount !== undefined && keyCount !== String(Contents.length)) return undefined
  return {
    $metadata: {},
    Contents,
    Name: textOf(rest, 'Name'),
    IsTruncated: isTruncated === 'true',
    NextContinuationToken: textOf(rest, 'NextContinuationToken'),
    EncodingType: textOf(rest, 'EncodingType') === 'url' ? 'url' : undefined,
  }
}

function readObject(block: string): _Object | undefined {
  const Key = textOf(block, 'Key')
  const ETag = textOf(block, 'ETag')
  const size = textOf(block, 'Size')
  const LastModified = new Date(textOf(block, 'LastModified') ?? '')
  if (Key === undefined || ETag === undefined || size === undefined || !/^\d{1,15}$/.test(size)) return undefined
  return Number.isNaN(LastModified.getTime()) ? undefined : { Key, ETag, Size: Number(size), LastModified }
}

function textOf(block: string, name: string): string | undefined {
  const start = block.indexOf(`<${name}>`)
  if (start < 0) return undefined
  const from = start + name.length + 2
  const end = block.indexOf(`</${name}>`, from)
  if (end < 0) return undefined
  const text = block.slice(from, end)
  return text.includes('&') ? unescapeText(text) : text
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescapeText = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex?: string, decimal?: string, name = '') => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return decimal === undefined ? (named[name] ?? whole) : String.fromCodePoint(Number(decimal))
  })
