import { hash, verify } from '@node-rs/argon2'
import { Invalid, RateLimited } from '../../refusals.ts'
import { hashingsAtOnce, hashingsWaiting, passwordMaxLength, passwordMinLength } from '../limits.ts'

/** Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody has, so that an unknown e-mail address takes as long as a wrong password. */
export const nobodysHash =
  '$argon2id$v=19$m=19456,t=2,p=1$v/h97n+p1RbkfZue2iPhDA$v7xyxwsGqVOQm5NV7SIjU5AgE+bYXJvzbW30H1EA8QM'

/** Rejects with `Invalid` a password that is too short or too long. */
export function acceptPassword(password: string): void {
  const isShort = Array.from(password).length < passwordMinLength
  if (isShort || password.length > passwordMaxLength) {
    const message = `The password needs ${passwordMinLength} to ${passwordMaxLength} characters.`
    throw new Invalid('password', message, isShort ? passwordMinLength : passwordMaxLength)
  }
}

/** A PHC string. Rejects with `RateLimited` when too many wait already. */
export const hashPassword = (password: string): Promise<string> =>
  takingTurns(() => hash(password.normalize('NFC'), parameters))

/** With `isFirst`, ahead of all who wait: a flood of guesses does not keep known devices out. */
export const verifyPassword = (passwordHash: string, password: string, isFirst = false): Promise<boolean> =>
  takingTurns(() => verify(passwordHash, password.normalize('NFC')), isFirst)

let running = 0
const waiting: (() => void)[] = []

/** Hashing is made to be expensive: without turns, a burst of sign-ins would take all memory and every thread. */
async function takingTurns<T>(work: () => Promise<T>, isFirst = false): Promise<T> {
  if (running >= hashingsAtOnce) {
    if (waiting.length >= hashingsWaiting * (isFirst ? 2 : 1)) throw new RateLimited(5)
    await new Promise<void>((resolve) => (isFirst ? waiting.unshift(resolve) : waiting.push(resolve)))
  } else {
    running += 1
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
}
