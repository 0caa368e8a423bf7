import type { CleanupKind } from '../../src/domain/sweeps/runs/recordRun.ts'
import type { Command, State } from './model.ts'
import type { Chance } from './modelRandom.ts'
import { intentHours, type TenantWorld, type World } from './modelWorld.ts'

export type Chosen = Command | { readonly verb: 'sweep'; readonly kind: CleanupKind }

const owners = ['invoice/1', 'invoice/2', 'user/1']

const verbs = {
  intend: 14,
  put: 14,
  commit: 14,
  cancel: 2,
  attach: 8,
  detach: 8,
  replace: 5,
  delete: 10,
  restore: 5,
  hold: 2,
  release: 3,
  purge: 5,
  retain: 2,
  trespass: 2,
  sweep: 7,
}

const kinds = {
  EXPIRE_UPLOADS: 3,
  PURGE_FILES: 6,
  DELETE_BLOBS: 6,
  RECONCILE: 2,
  VERIFY: 1,
  ABORT_UPLOADS: 0.5,
} as const

/** Commands of several clients at once: most of them about the same file. */
export function chooseCommands(world: World, own: TenantWorld): Chosen[] {
  const { chance } = world
  const focus = chance.pick([...own.state.files.keys()])
  const chosen: Chosen[] = []
  for (let left = 1 + chance.below(4); left > 0; left -= 1) {
    const next = choose(world, own, chance.is(0.5) ? focus : undefined)
    if (next && !isRepeated(chosen, next)) chosen.push(next)
  }
  return chosen
}

/** Two runs of a kind, or two uploads of one intent at once, would leave open which of them did it. */
function isRepeated(chosen: readonly Chosen[], next: Chosen): boolean {
  if (next.verb === 'sweep') return chosen.some((one) => one.verb === 'sweep' && one.kind === next.kind)
  return next.verb === 'put' && chosen.some((one) => one.verb === 'put' && one.key === next.key)
}

function choose(world: World, own: TenantWorld, focus: string | undefined): Chosen | null {
  const { chance } = world
  const { files, intents } = own.state
  const isFull = files.size > 14
  const verb = chance.weighed({ ...verbs, intend: intents.size > 16 ? 0 : isFull ? 5 : verbs.intend })
  if (verb === 'sweep') return { verb, kind: chance.weighed(kinds) }
  if (verb === 'intend') return intend(world, own, focus)
  if (verb === 'put' || verb === 'commit' || verb === 'cancel') {
    const key = pickIntent(chance, own.state, verb)
    if (key === undefined) return null
    return verb === 'put' ? { verb, key, bytes: chance.is(0.85) ? 'GOOD' : 'WRONG' } : { verb, key }
  }
  if (verb === 'trespass') {
    const key = chance.pick([...(world.tenants.find((one) => one !== own)?.state.files.keys() ?? [])])
    return key === undefined ? null : { verb, key }
  }
  const key = focus ?? chance.pick([...files.keys()])
  if (key === undefined) return null
  if (verb === 'retain') return { verb, key, retention: chance.is(0.5) ? 'KEPT' : 'WHILE_ATTACHED' }
  if (verb === 'attach' || verb === 'detach' || verb === 'replace') {
    const used = files.get(key)?.owners ?? []
    const owner = verb === 'detach' && chance.is(0.8) ? chance.pick(used) : chance.pick(owners)
    return { verb, key, owner: owner ?? 'invoice/1' }
  }
  return { verb, key }
}

function intend(world: World, own: TenantWorld, focus: string | undefined): Command {
  const { chance, clockHours } = world
  const isVersion = own.state.files.size > 14 || chance.is(0.35)
  const target = isVersion ? (focus ?? chance.pick([...own.state.files.keys()]) ?? null) : null
  const key = `k${own.nextKey}`
  own.nextKey += 1
  const intent = {
    target,
    retention: chance.is(0.3) ? 'WHILE_ATTACHED' : 'KEPT',
    isProved: chance.is(0.5),
    state: 'PENDING',
    stored: 'NOTHING',
    dueHours: clockHours + intentHours,
    isExpired: false,
  } as const
  return { verb: 'intend', key, intent }
}

/** Mostly one that the verb makes sense for. */
function pickIntent(chance: Chance, { intents }: State, verb: 'put' | 'commit' | 'cancel'): string | undefined {
  const keys = [...intents.keys()]
  const pending = keys.filter((key) => intents.get(key)?.state === 'PENDING')
  const empty = pending.filter((key) => intents.get(key)?.stored === 'NOTHING')
  const sent = pending.filter((key) => intents.get(key)?.stored !== 'NOTHING')
  const sensible = verb === 'put' ? empty : verb === 'commit' ? sent : pending
  return chance.is(0.85) ? (chance.pick(sensible) ?? chance.pick(keys)) : chance.pick(keys)
}
