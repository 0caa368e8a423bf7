import { randomInt } from 'node:crypto'
import { v7 } from 'uuid'

/** Half of what the counter holds, so that it can grow from wherever chance lets it begin. */
const firstSequences = 2 ** 31

let lastMoment = -1
let sequence = 0

/**
 * A UUIDv7 (RFC 9562): its first 48 bits are the time, so that new rows lie next to each other in every index. Of several
 * in one millisecond each is greater than the one before, as a journal wants it.
 */
export function newId(now: Date): string {
  const msecs = now.getTime()
  sequence = msecs === lastMoment ? sequence + 1 : randomInt(firstSequences)
  lastMoment = msecs
  return v7({ msecs, seq: sequence })
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for the one spelling of a UUID that we give out. */
export const isId = (text: string): boolean => uuidPattern.test(text)
