/** How long a run may take from claiming blobs to having deleted them. */
const leaseMs = 180_000

/** More than all attempts of one request to the bucket can take: nothing is sent that could arrive after the end. */
const slowestRequestMs = 60_000

/** A run was stopped or starved for so long that somebody else may have taken over: what it was about to do is not done. */
export class LeaseOver extends Error {
  override readonly name = 'LeaseOver'
}

export interface Lease {
  /** Until when nobody else may take what is claimed under it, by the database's clock. */
  until(databaseNow: Date): Date
  /** Has to be called right before each request that deletes. Throws `LeaseOver`. */
  assertHeld(): void
}

/** Measured by a clock that goes on while the process is stopped, and that nobody can set. */
export function takeLease(now: () => number = () => performance.now()): Lease {
  const taken = now()
  return {
    until: (databaseNow) => new Date(databaseNow.getTime() + leaseMs),
    assertHeld() {
      if (now() - taken > leaseMs - slowestRequestMs) throw new LeaseOver('The lease of this run is over')
    },
  }
}
