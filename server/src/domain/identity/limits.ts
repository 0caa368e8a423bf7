export const keyNameMaxLength = 100
export const personNameMaxLength = 200
export const emailMaxLength = 254

export const passwordMinLength = 8
export const passwordMaxLength = 200
/** Each takes 19 MiB and a core for some tens of milliseconds. */
export const hashingsAtOnce = 2
export const hashingsWaiting = 100

export const signInWindowSeconds = 15 * 60
export const signInFailuresPerEmail = 10
/** Higher than for one e-mail address: an office shares its network address. */
export const signInFailuresPerAddress = 50

/** How old a key's `last_used_at` may be before a request writes it again. */
export const keyUseResolutionSeconds = 60

export const tokenClockToleranceSeconds = 5
export const subjectMaxLength = 200
