import { pino } from 'pino'

/** Commands answer in sentences; what goes wrong reaches them as an error. */
export const quietLogger = pino({ level: 'silent' })
