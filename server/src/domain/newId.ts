import { v7 } from 'uuid'

/** A UUIDv7 (RFC 9562): its first 48 bits are the time, so that new rows lie next to each other in every index. */
export const newId = (now: Date): string => v7({ msecs: now.getTime() })

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for the one spelling of a UUID that we give out. */
export const isId = (text: string): boolean => uuidPattern.test(text)
