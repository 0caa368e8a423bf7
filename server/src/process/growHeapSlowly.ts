import { setFlagsFromString } from 'node:v8'

/**
 * By how many per cent the heap of old objects may grow before it is collected again. V8 decides by itself to let it grow
 * to four times what is in use, which keeps more garbage than product: 300 MB instead of 171 after a minute of load.
 */
const growthPercent = 40

/**
 * Makes V8 collect old objects earlier. It is no limit: what is really in use may grow as far as it could before. The
 * part for young objects keeps its size, since a smaller one doubled the time spent in collections.
 *
 * Works for a heap that is in use already, so that it does not matter how the process was started.
 */
export function growHeapSlowly(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
}
