import type { ApolloClient } from '@apollo/client'
import { IssueDownloadUrlDocument } from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'

/** Why a download did not begin: the answer of the storage, or its silence. */
export type DownloadObstacle = 'missing' | 'refused' | 'unavailable' | 'offline'

export class DownloadFailed extends Error {
  readonly obstacle: DownloadObstacle

  constructor(obstacle: DownloadObstacle) {
    super(`The storage answered: ${obstacle}`)
    this.obstacle = obstacle
  }
}

/** A file, or one of its versions by number. Default: the current version. */
export interface Downloaded {
  readonly id: string
  readonly version?: number | undefined
}

/**
 * Requests an audited download address, and lets the browser save the bytes under the name of the file. Reads one byte first,
 * then opens the address in a hidden frame, so that no answer of the storage replaces the page. Rejects with `DownloadFailed` or
 * the refusal of the API. Later failures are passed to `onFailure`.
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
  // An address is valid for minutes. It may have expired if the computer slept, or if the clock of the server is wrong.
  if (obstacle !== 'refused') return obstacle === null ? save(url, onFailure) : fail(obstacle)
  await saveFrom(await issue(), onFailure)
}

/** Saves the bytes at a signed address. Rejects with `DownloadFailed`. */
export async function saveFrom(url: string, onFailure: () => void): Promise<void> {
  const obstacle = await obstacleAt(url)
  return obstacle === null ? save(url, onFailure) : fail(obstacle)
}

function fail(obstacle: DownloadObstacle): never {
  throw new DownloadFailed(obstacle)
}

const patienceMs = 20_000

/** Reads one byte, because the address is signed for GET only. Returns null if the bytes can be saved. */
async function obstacleAt(url: string): Promise<DownloadObstacle | null> {
  const answer = await fetch(url, {
    headers: { range: 'bytes=0-0' },
    cache: 'no-store',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => null)
  // Without a CORS rule for this page the bucket cannot be read by script, but downloads work.
  if (answer === null) return navigator.onLine ? null : 'offline'
  void answer.body?.cancel()
  // An empty file has no first byte.
  if (answer.ok || answer.status === 416) return null
  if (answer.status === 404 || answer.status === 410) return 'missing'
  return answer.status < 500 && answer.status !== 429 ? 'refused' : 'unavailable'
}

/** The storage may be slow. Removing the frame before its answer begins would end the download. */
const frameLivesMs = 10 * 60_000

function save(url: string, onFailure: () => void): void {
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.title = 'Download'
  frame.referrerPolicy = 'no-referrer'
  frame.setAttribute('sandbox', 'allow-downloads')
  const timer = setTimeout(() => frame.remove(), frameLivesMs)
  // A download loads no document. A document is an error page of the storage or of the browser.
  frame.addEventListener('load', () => {
    clearTimeout(timer)
    frame.remove()
    onFailure()
  })
  frame.src = url
  document.body.append(frame)
}
