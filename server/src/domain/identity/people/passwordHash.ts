import { hash, verify } from '@node-rs/argon2'
import { Invalid, RateLimited } from '../../refusals.ts'
import { hashingsAtOnce, hashingsWaiting, passwordMaxLength, passwordMinLength } from '../limits.ts'

/** Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The hash of an unknown random password, so that an unknown e-mail address takes as long as a wrong password. */
export const nobodysHash =
  '$argon2id$v=19$m=19456,t=2,p=1$v/h97n+p1RbkfZue2iPhDA$v7xyxwsGqVOQm5NV7SIjU5AgE+bYXJvzbW30H1EA8QM'

/** Throws `Invalid` if the password is too short or too long. */
export function acceptPassword(password: string): void {
  const isShort = Array.from(password).length < passwordMinLength
  if (isShort || password.length > passwordMaxLength) {
    const message = `The password needs ${passwordMinLength} to ${passwordMaxLength} characters.`
    throw new Invalid('password', message, isShort ? passwordMinLength : passwordMaxLength)
  }
}

/** Returns a PHC string. Rejects with `RateLimited` if too many hashes are waiting. */
export const hashPassword = (password: string): Promise<string> =>
  takingTurns(() => hash(password.normalize('NFC'), parameters))

/** `isFirst` puts the check ahead of all waiting ones, so that a flood of guesses does not lock out known devices. */
export const verifyPassword = (passwordHash: string, password: string, isFirst = false): Promise<boolean> =>
  takingTurns(() => verify(passwordHash, password.normalize('NFC')), isFirst)

let running = 0
const waiting: (() => void)[] = []

/** Hashing is expensive by design. Without a queue, a burst of sign-ins would use all memory and every thread. */
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
