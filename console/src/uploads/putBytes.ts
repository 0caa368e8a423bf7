import type { PutBytes } from './sendFile.ts'

/** By XMLHttpRequest, since `fetch` cannot tell how much has been sent. No cookie goes to the bucket. */
export const putBytes: PutBytes = (intent, bytes, { signal, onSent }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(intent.method, intent.url)
    for (const { name, value } of intent.headers) {
      if (!setByBrowser.has(name.toLowerCase())) request.setRequestHeader(name, value)
    }
    request.upload.onprogress = ({ loaded }) => onSent(loaded)
    request.onload = () => resolve(request.status)
    request.onerror = () => reject(new TypeError('The bucket could not be reached'))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(bytes)
  })

/** Browsers refuse to have these set, and set them rightly by themselves. */
const setByBrowser = new Set(['content-length', 'host'])
