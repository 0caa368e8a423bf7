import type postgres from 'postgres'
import type { TestService } from '../testService.ts'

export type Clock = 'application' | 'database' | 'store'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** The three clocks of an installation, each of which can be wrong by itself. */
export interface Clocks {
  /** Time goes by, for all but the store: nothing that it keeps ends by itself, and its requests are signed in the present. */
  pass(ms: number): Promise<void>
  /** This one alone is wrong from now on: ahead, or behind where negative. */
  move(clock: Clock, ms: number): Promise<void>
  /** All are right again. */
  correct(): Promise<void>
}

/** Of the service whose clocks are taken: names are looked up among the test's own functions before those of Postgres. */
export const clockSearchPath = 'test_clock, pg_catalog, filegraph'

/**
 * Nobody can set the clock of one database. So a function of the same name is found first by everything that runs in it:
 * the application's statements, and the functions of the migrations, whose search path is their own. The service has to
 * be started with `clockSearchPath`.
 */
export async function takeClocks(service: TestService, sql: postgres.Sql): Promise<Clocks> {
  await sql.unsafe(`
    create schema test_clock;
    create table test_clock.moved (by_ms bigint not null);
    insert into test_clock.moved values (0);
    create function test_clock.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + by_ms * interval '1 millisecond' from test_clock.moved $$;
    grant usage on schema test_clock to public;
    grant select on test_clock.moved to public;
  `)
  const fixed = await sql`select p.oid::regprocedure as signature from pg_proc p
    where p.pronamespace = 'filegraph'::regnamespace and p.prosrc like '%clock_timestamp()%'`
  for (const { signature } of fixed) {
    await sql.unsafe(`alter function ${signature} set search_path = test_clock, pg_catalog, pg_temp`)
  }
  let passedMs = 0
  const wrongMs = { application: 0, database: 0, store: 0 }
  const set = async () => {
    const { clock, storeClock } = service
    clock.offsetMs = passedMs + wrongMs.application
    // It is told how far it is ahead of the application's.
    storeClock.offsetMs = wrongMs.store - clock.offsetMs
    await sql`update test_clock.moved set by_ms = ${passedMs + wrongMs.database}`
  }
  return {
    pass: (ms) => {
      passedMs += ms
      return set()
    },
    move: (clock, ms) => {
      wrongMs[clock] = ms
      return set()
    },
    correct: async () => {
      Object.assign(wrongMs, { application: 0, database: 0, store: 0 })
      await set()
      // The signer of the requests learns the time from a response.
      await service.blobs.list({ prefix: 'org/none/', maxKeys: 1 })
    },
  }
}
