import { answerWith, rewriteAnswer } from './faults.ts'
import type { Fault } from './startStoreProxy.ts'

/** Answers to ListObjectsV2 that must not pass for a listing, in the XML of S3. */

/** A whole listing of nothing: `answerWith(200, emptyListing('files', 'org/'))`. */
export function emptyListing(bucket: string, prefix: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${prefix}</Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>`
}

/** The store's own listing, changed on its way. */
export function rewriteListing(transform: (xml: string) => string): Fault {
  return rewriteAnswer((xml) => (xml.includes('<ListBucketResult') ? transform(xml) : xml))
}

const withoutToken = (xml: string) => xml.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/s, '')
const truncated = (xml: string, isTruncated: boolean) =>
  xml.replace(/<IsTruncated>\w+<\/IsTruncated>/, `<IsTruncated>${isTruncated}</IsTruncated>`)

/** Each page says that more follow, and not where. */
export function truncatedWithoutToken(): Fault {
  return rewriteListing((xml) => truncated(withoutToken(xml), true))
}

/** Each page says that it is the last: the listing is short, and nothing in it tells. */
export function endingTooSoon(): Fault {
  return rewriteListing((xml) => truncated(withoutToken(xml), false))
}

/** Answers as if these keys were not there, in a listing that is whole otherwise. Keys as they stand in the XML. */
export function withoutKeys(isMissing: (escapedKey: string) => boolean): Fault {
  return rewriteListing((xml) =>
    xml.replace(/<Contents>.*?<Key>(.*?)<\/Key>.*?<\/Contents>/gs, (object, key: string) =>
      isMissing(key) ? '' : object,
    ),
  )
}

/** The listing of a bucket of another name. */
export function ofAnotherBucket(name: string): Fault {
  return rewriteListing((xml) => xml.replace(/<Name>.*?<\/Name>/s, `<Name>${name}</Name>`))
}

/**
 * The first page forever, each time with a next one: named by the same token, or by a new token each time, which only
 * the keys can give away.
 */
export function samePageForEver(tokens: 'same' | 'new'): Fault {
  let first: string | undefined
  let pages = 0
  const page = () => {
    pages += 1
    const token = tokens === 'same' ? 'again' : `again-${pages}`
    const next = `<NextContinuationToken>${token}</NextContinuationToken></ListBucketResult>`
    return (first ?? '').replace('</ListBucketResult>', next)
  }
  const readFirst = rewriteListing((xml) => {
    first = truncated(withoutToken(xml), true)
    return page()
  })
  return (passage) => (first === undefined ? readFirst(passage) : answerWith(200, page())(passage))
}
