import { setTimeout as sleep } from 'node:timers/promises'
import { advanceMarker } from '../../src/domain/installation/bucketMarker.ts'
import { loseReply, refuseWith, resetRequestAfter } from '../storeFaults/faults.ts'
import type { Command, State } from './model.ts'
import { type Sent, unknown } from './modelExplain.ts'
import { type Chosen, chooseCommands } from './modelGenerate.ts'
import { settle, type Swept } from './modelObserve.ts'
import { send, sweep } from './modelSend.ts'
import { type Mishap, type TenantWorld, turnClock, type World } from './modelWorld.ts'

/** Sends commands of several clients in both tenants at once, with a mishap now and then, and finds out what happened. */
export async function runRound(world: World): Promise<void> {
  if (world.chance.is(0.1)) await passTime(world)
  const mishap = chooseMishap(world)
  const end = await begin(world, mishap)
  const rounds = world.tenants.map((own) => ({ own, chosen: chooseCommands(world, own) }))
  const sent = await Promise.all(rounds.map(({ own, chosen }) => sendAll(world, own, chosen)))
  await end()
  world.mishap = 'none'
  for (const [at, { own }] of rounds.entries()) {
    const answered = await learnMore(world, own, sent[at]?.commands ?? [])
    tell(own, answered, sent[at]?.swept, mishap)
    await settle(world, own, answered, sent[at]?.swept ?? none)
    forget(own)
  }
}

const none: Swept = { purge: null, expire: null, clockHours: 0 }

async function sendAll(world: World, own: TenantWorld, chosen: readonly Chosen[]) {
  const commands: Sent[] = []
  const swept = { ...none, clockHours: world.clockHours }
  await Promise.all(
    chosen.map(async (one) => {
      world.count.commands += 1
      const answer = one.verb === 'sweep' ? await sweep(world, own, one.kind) : await send(world, own, one)
      if (answer === unknown) world.count.unknown += 1
      else if (answer !== 'OK') world.count.refused += 1
      if (one.verb !== 'sweep') commands.push({ command: one, answer })
      else if (one.kind === 'PURGE_FILES') swept.purge = answer
      else if (one.kind === 'EXPIRE_UPLOADS') swept.expire = answer
    }),
  )
  return { commands, swept }
}

/** What a client does that got no answer: it asks again for the intent by its key, and looks whether its bytes arrived. */
async function learnMore(world: World, own: TenantWorld, sent: readonly Sent[]): Promise<Sent[]> {
  const learned: Sent[] = []
  for (const { command, answer } of sent) {
    if (answer !== unknown) learned.push({ command, answer })
    else if (command.verb === 'intend') learned.push({ command, answer: await insist(world, own, command) })
    else if (command.verb !== 'put') learned.push({ command, answer })
    else if (await hasArrived(world, own, command.key)) learned.push({ command, answer: 'OK' })
  }
  return learned
}

async function insist(world: World, own: TenantWorld, command: Command): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const answer = await send(world, own, command)
    if (answer !== unknown) return answer
    await sleep(20)
  }
  throw new Error('The service does not come back')
}

async function hasArrived({ service }: World, own: TenantWorld, key: string): Promise<boolean> {
  const objectKey = own.uploads.get(key)?.objectKey
  if (own.state.intents.get(key)?.stored !== 'NOTHING' || !objectKey) return false
  return (await service.blobs.head(objectKey)) !== null
}

function chooseMishap({ chance, isBehindProxy }: World): Mishap {
  const behind = isBehindProxy ? { proxy: 6, away: 0.3 } : { proxy: 0, away: 0 }
  return chance.weighed({ none: 80, crash: 6, store: 3, cut: 3, ...behind })
}

/** Answers with what ends the mishap. */
async function begin(world: World, mishap: Mishap): Promise<() => Promise<unknown>> {
  const { service, sql, chance } = world
  world.mishap = mishap
  if (mishap === 'cut') {
    const cut = sleep(chance.below(25)).then(
      () =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'test'`,
    )
    return () => cut
  }
  if (mishap === 'proxy') {
    const faults = [refuseWith(503, 'SlowDown'), loseReply(), resetRequestAfter(10), refuseWith(200, 'InternalError')]
    const fault = chance.pick(faults) ?? loseReply()
    service.store.on(() => chance.is(0.5), fault, 1 + chance.below(6))
    return async () => service.store.clear()
  }
  if (mishap !== 'away') return async () => undefined
  await service.bucket.stop()
  return () => service.bucket.start()
}

/** What happens while nobody is at work: time passes, a clock is turned, a lease ends. */
async function passTime(world: World): Promise<void> {
  const { sql, chance, service } = world
  const what = chance.weighed({ trash: 5, intents: 1, clock: 2, leases: 4, marker: 1 })
  if (what === 'clock') return turnClock(world, chance.pick([-26, 0, 0, 26]) ?? 0)
  // As its job would be tried again: a connection that was cut may be noticed only now.
  if (what === 'marker') return advanceMarker(service).catch(() => advanceMarker(service))
  if (what === 'leases') return endWaits(world)
  if (what === 'trash') {
    await sql`update files set soft_deleted_at = soft_deleted_at - interval '100 days'
      where soft_deleted_at is not null and purged_at is null`
    return changeEach(world, ({ files, intents }) => ({
      intents,
      files: new Map([...files].map(([key, file]) => [key, { ...file, isCooled: file.state === 'TRASHED' }])),
    }))
  }
  await sql`update uploads set expires_at = expires_at - interval '100 days' where state = 'PENDING'`
  changeEach(world, ({ files, intents }) => ({
    files,
    intents: new Map(
      [...intents].map(([key, intent]) =>
        intent.state === 'PENDING' ? [key, { ...intent, dueHours: -2_400, isExpired: true }] : [key, intent],
      ),
    ),
  }))
}

function changeEach({ tenants }: World, change: (state: State) => State): void {
  for (const own of tenants) own.state = change(own.state)
}

/** The leases of runs that died are over, and so are all periods of grace and of waiting. */
export async function endWaits({ sql }: World): Promise<void> {
  await sql`update blobs set purge_claimed_until = null, purge_not_before = null,
    deleting_since = least(deleting_since, now() - interval '1 hour') where status = 'deleting'`
  await sql`update orphan_objects set first_seen_at = least(first_seen_at, now() - interval '1 hour')`
}

const keptIntents = 12
const keptPurged = 4

/** What is long over is no longer looked at after each round, only in the end. */
function forget(own: TenantWorld): void {
  const over = [...own.state.intents].filter(([, { state }]) => state !== 'PENDING').map(([key]) => key)
  const purged = [...own.state.files].filter(([, { state }]) => state === 'PURGED').map(([key]) => key)
  const targets = new Set([...own.state.intents.values()].map(({ target }) => target))
  const forgotten = purged.slice(0, -keptPurged).filter((key) => !targets.has(key))
  own.gone.push(...forgotten)
  own.state = {
    intents: without(own.state.intents, over.slice(0, -keptIntents)),
    files: without(own.state.files, forgotten),
  }
}

function without<T>(map: ReadonlyMap<string, T>, keys: readonly string[]): ReadonlyMap<string, T> {
  const gone = new Set(keys)
  return gone.size === 0 ? map : new Map([...map].filter(([key]) => !gone.has(key)))
}

function tell(own: TenantWorld, sent: readonly Sent[], swept: Swept | undefined, mishap: Mishap): void {
  const lines = sent.map(({ command, answer }) => `${JSON.stringify(command)} -> ${answer}`)
  own.story.push(`-- ${mishap}, ${JSON.stringify(swept)}`, ...lines)
  own.story.splice(0, own.story.length - 300)
}
