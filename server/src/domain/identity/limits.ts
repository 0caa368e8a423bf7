export const keyNameMaxLength = 100
export const personNameMaxLength = 200
export const emailMaxLength = 254

export const passwordMinLength = 8
export const passwordMaxLength = 200
/** Each takes 19 MiB and a core for some tens of milliseconds. */
export const hashingsAtOnce = 2
export const hashingsWaiting = 100

/** How failed sign-ins delay further attempts; see `countAttempt`. */
export const signInDelays = {
  pair: { freeFailures: 5, longestSeconds: 900, forgottenSeconds: 86_400 },
  device: { freeFailures: 5, longestSeconds: 900, forgottenSeconds: 86_400 },
  /** From here on an account counts as under attack, and delays nobody by itself. */
  account: { freeFailures: 100, longestSeconds: 0, forgottenSeconds: 86_400 },
  /** An office shares its network address, so it is delayed late and briefly. */
  address: { freeFailures: 50, longestSeconds: 10, forgottenSeconds: 3_600 },
} as const

export const deviceLifetimeSeconds = 180 * 86_400
export const devicesPerUser = 20

/** How old a key's `last_used_at` may be before a request writes it again. */
export const keyUseResolutionSeconds = 60

export const tokenClockToleranceSeconds = 5
export const subjectMaxLength = 200
