import type { ApolloClient } from '@apollo/client'
import { IssueDownloadUrlDocument } from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'

/** Why a download did not begin: what the storage answered, or that it did not. */
export type DownloadObstacle = 'missing' | 'refused' | 'unavailable' | 'offline'

export class DownloadFailed extends Error {
  readonly obstacle: DownloadObstacle

  constructor(obstacle: DownloadObstacle) {
    super(`The storage answered: ${obstacle}`)
    this.obstacle = obstacle
  }
}

/** A file, or one of its versions by number. Without a number: the current one. */
export interface Downloaded {
  readonly id: string
  readonly version?: number | undefined
}

/**
 * Asks for an address on the record and lets the browser save what is there under the name of the file. The address is tried
 * first, and opened in a hidden frame: whatever the storage answers, the page stays. Rejects with `DownloadFailed`, or as the API
 * refused; what goes wrong after that, `onFailure` is told.
 */
export async function downloadFile(
  client: ApolloClient,
  { id, version }: Downloaded,
  onFailure: () => void,
): Promise<void> {
  const input = { id, ...(version !== undefined && { version }) }
  const issue = async () => {
    const { data } = await client.mutate({ mutation: IssueDownloadUrlDocument, variables: { input } })
    return takeSuccess(data?.issueDownloadUrl, 'url').url
  }
  const url = await issue()
  const obstacle = await obstacleAt(url)
  // An address lives for minutes: of a computer that slept meanwhile, or of a server with a wrong clock, it may be over.
  if (obstacle !== 'refused') return obstacle === null ? save(url, onFailure) : fail(obstacle)
  await saveFrom(await issue(), onFailure)
}

/** Saves what is at an address that was signed already. Rejects with `DownloadFailed`. */
export async function saveFrom(url: string, onFailure: () => void): Promise<void> {
  const obstacle = await obstacleAt(url)
  return obstacle === null ? save(url, onFailure) : fail(obstacle)
}

function fail(obstacle: DownloadObstacle): never {
  throw new DownloadFailed(obstacle)
}

const patienceMs = 20_000

/** Reads one byte; the address is signed for GET alone. Null if nothing speaks against saving it. */
async function obstacleAt(url: string): Promise<DownloadObstacle | null> {
  const answer = await fetch(url, {
    headers: { range: 'bytes=0-0' },
    cache: 'no-store',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => null)
  // A bucket without a CORS rule for this page cannot be asked, and can be downloaded from all the same.
  if (answer === null) return navigator.onLine ? null : 'offline'
  void answer.body?.cancel()
  // An empty file has no first byte.
  if (answer.ok || answer.status === 416) return null
  if (answer.status === 404 || answer.status === 410) return 'missing'
  return answer.status < 500 && answer.status !== 429 ? 'refused' : 'unavailable'
}

/** Answers may be slow. A frame that is taken away before the answer has begun ends the download. */
const frameLivesMs = 10 * 60_000

function save(url: string, onFailure: () => void): void {
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.title = 'Download'
  frame.referrerPolicy = 'no-referrer'
  frame.setAttribute('sandbox', 'allow-downloads')
  const timer = setTimeout(() => frame.remove(), frameLivesMs)
  // A download loads no document. A document is an error of the storage, or of the network.
  frame.addEventListener('load', () => {
    clearTimeout(timer)
    frame.remove()
    onFailure()
  })
  frame.src = url
  document.body.append(frame)
}
