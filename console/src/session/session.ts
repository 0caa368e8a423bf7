import { RefusedError } from '../apollo/takeSuccess.ts'
import { serverPath } from '../basePath.ts'

const key = 'filegraph.tenant'

/** The tenant that this browser showed last. It is only a hint: it may be missing, or belong to another person. */
export function readLastTenant(): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function keepLastTenant(slug: string): void {
  try {
    localStorage.setItem(key, slug)
  } catch {
    // A private window stores nothing. The next start shows the first tenant.
  }
}

/** Signs in. Returns the reason in words if that failed, and null otherwise. */
export async function signIn(email: string, password: string): Promise<string | null> {
  const answer = await fetch(serverPath('/session'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-filegraph-csrf': '1' },
    body: JSON.stringify({ email, password }),
  }).catch(() => null)
  return answer?.ok ? null : wordSignInFailure(answer?.status, Number(answer?.headers.get('retry-after')))
}

const signOutMs = 15_000

/** Ends the session. Throws if the server did not confirm it, because the session may still be open. */
export async function signOut(): Promise<void> {
  const headers = { 'x-filegraph-csrf': '1' }
  const signal = AbortSignal.timeout(signOutMs)
  const answer = await fetch(serverPath('/session'), { method: 'DELETE', headers, signal }).catch(() => null)
  // 401 means that the session had ended before.
  if (answer?.ok || answer?.status === 401) return
  const why = answer ? 'The server could not end your session.' : 'No answer from the server.'
  throw new RefusedError({ message: `${why} You are still signed in here. Try again in a moment.` })
}

/** `status` is undefined if there was no response. `retryAfterSeconds` is 0 or NaN if the header is missing. */
function wordSignInFailure(status: number | undefined, retryAfterSeconds: number): string {
  if (status === 400 || status === 401) return 'The e-mail address or the password is wrong.'
  if (status === 429) return `Too many attempts. Try again ${waitingTime(retryAfterSeconds)}.`
  if (status === undefined) return 'No answer from the server. Check your connection, then try again.'
  return 'Filegraph cannot sign you in right now. Try again in a moment.'
}

function waitingTime(seconds: number): string {
  if (!(seconds > 0)) return 'later'
  if (seconds < 60) return seconds === 1 ? 'in a second' : `in ${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`
}
