import { serverPath } from '../basePath.ts'

/** Why somebody could not sign in, in their words; null once they are. */
export async function signIn(email: string, password: string): Promise<string | null> {
  const answer = await fetch(serverPath('/session'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-filegraph-csrf': '1' },
    body: JSON.stringify({ email, password }),
  }).catch(() => null)
  return answer?.ok ? null : wordSignInFailure(answer?.status, Number(answer?.headers.get('retry-after')))
}

export async function signOut(): Promise<void> {
  await fetch(serverPath('/session'), { method: 'DELETE', headers: { 'x-filegraph-csrf': '1' } })
}

/** `status` is undefined where no answer came; `retryAfterSeconds` is 0 or NaN where none was given. */
export function wordSignInFailure(status: number | undefined, retryAfterSeconds: number): string {
  if (status === 400 || status === 401) return 'This e-mail address and password do not belong together.'
  if (status === 429) return `Too many attempts. Try again ${waitingTime(retryAfterSeconds)}.`
  if (status === undefined) return 'No answer from the server. Check your connection, then try again.'
  return 'Filegraph cannot sign you in right now. Try again in a moment.'
}

function waitingTime(seconds: number): string {
  if (!(seconds > 0)) return 'in a while'
  if (seconds < 60) return seconds === 1 ? 'in a second' : `in ${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`
}
