import { randomInt } from 'node:crypto'
import { v7 } from 'uuid'

/** Half of the counter's range, so that it can grow from any random start. */
const firstSequences = 2 ** 31

let lastMoment = -1
let sequence = 0

/**
 * A UUIDv7 (RFC 9562). Its first 48 bits are the time, so that new rows are adjacent in every index. Ids of the same
 * millisecond increase.
 */
export function newId(now: Date): string {
  const msecs = now.getTime()
  sequence = msecs === lastMoment ? sequence + 1 : randomInt(firstSequences)
  lastMoment = msecs
  return v7({ msecs, seq: sequence })
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID in the canonical form that is issued. */
export const isId = (text: string): boolean => uuidPattern.test(text)
