import { createHash, createHmac } from 'node:crypto'

const escapeUri = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * Presigns a GET with what SigV4 cannot do without: one SHA-256 and one HMAC, under a key that is derived once a day.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function createSigner({ endpoint, bucket, region, accessKeyId, secretAccessKey }) {
  const { host, origin, pathname } = new URL(endpoint)
  const prefix = `${pathname.replace(/\/$/, '')}/${bucket}`
  const expired = escapeUri(new Date(0).toUTCString())
  let day = { name: '' }
  const startDay = (name) => {
    const scope = `${name}/${region}/s3/aws4_request`
    const derive = (key, part) => createHmac('sha256', key).update(part).digest()
    const key = scope.split('/').reduce(derive, `AWS4${secretAccessKey}`)
    return { name, scope, key, credential: escapeUri(`${accessKeyId}/${scope}`) }
  }
  return (key, contentDisposition, contentType, now) => {
    const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '')
    if (day.name !== time.slice(0, 8)) day = startDay(time.slice(0, 8))
    const path = `${prefix}/${key}`
    const start = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${day.credential}&X-Amz-Date=${time}&X-Amz-Expires=600`
    const end = `&X-Amz-SignedHeaders=host&response-cache-control=private%2C%20no-store&response-content-disposition=${escapeUri(contentDisposition)}&response-content-encoding=identity&response-content-language=und&response-content-type=${escapeUri(contentType)}&response-expires=${expired}`
    const canonical = `GET\n${path}\n${start}${end}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`
    const digest = createHash('sha256').update(canonical).digest('hex')
    const signature = createHmac('sha256', day.key).update(`AWS4-HMAC-SHA256\n${time}\n${day.scope}\n${digest}`)
    return `${origin}${path}?${start}&X-Amz-Signature=${signature.digest('hex')}${end}`
  }
}
