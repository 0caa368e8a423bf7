export const keyNameMaxLength = 100
export const personNameMaxLength = 200
export const emailMaxLength = 254

export const passwordMinLength = 8
export const passwordMaxLength = 200
/** A hash takes 19 MiB and one core for some tens of milliseconds. */
export const hashingsAtOnce = 2
export const hashingsWaiting = 100

/** How failed sign-ins delay further attempts. See `countAttempt`. */
export const signInDelays = {
  pair: { freeFailures: 5, longestSeconds: 900, forgottenSeconds: 86_400 },
  device: { freeFailures: 5, longestSeconds: 900, forgottenSeconds: 86_400 },
  /** From this number of failures, the account counts as under attack. This counter alone delays nobody. */
  account: { freeFailures: 100, longestSeconds: 0, forgottenSeconds: 86_400 },
  /** An office can share one network address, so its delay starts late and stays short. */
  address: { freeFailures: 50, longestSeconds: 10, forgottenSeconds: 3_600 },
} as const

export const deviceLifetimeSeconds = 180 * 86_400
export const devicesPerUser = 20

/** A request updates a key's `last_used_at` only if it is older than this. */
export const keyUseResolutionSeconds = 60

export const tokenClockToleranceSeconds = 5
export const subjectMaxLength = 200
