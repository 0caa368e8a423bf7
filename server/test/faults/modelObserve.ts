import { apply, type FileModel, type State } from './model.ts'
import { explain, type Sent, unknown } from './modelExplain.ts'
import type { TenantWorld, World } from './modelWorld.ts'

interface Row {
  readonly key: string
  readonly intent: 'PENDING' | 'COMMITTED' | 'CANCELLED' | 'EXPIRED'
  readonly file_id: string | null
  readonly state: FileModel['state'] | null
  readonly retention: FileModel['retention']
  readonly is_held: boolean
  readonly owners: string[]
  readonly versions: string[]
}

/** The rows of those intents, and of the files that they made. */
async function observe({ sql }: World, own: TenantWorld, keys: readonly string[]): Promise<Row[]> {
  const tenant = own.tenant.id
  return sql<Row[]>`
    select u.idempotency_key as key, u.state as intent, f.id as file_id, f.retention, f.held_at is not null as is_held,
      case when f.purged_at is not null then 'PURGED' when f.soft_deleted_at is not null then 'TRASHED'
        when f.id is not null then 'LIVE' end as state,
      coalesce((select json_agg(a.owner_type || '/' || a.owner_id order by 1) from (
        select * from attachments where tenant_id = ${tenant} and file_id = f.id order by owner_type, owner_id) a), '[]') as owners,
      coalesce((select json_agg(made.idempotency_key order by v.version) from file_versions v
        join uploads made on made.tenant_id = v.tenant_id and made.blob_id = v.blob_id
        where v.tenant_id = ${tenant} and v.file_id = f.id), '[]') as versions
    from uploads u
    left join files f on f.tenant_id = u.tenant_id and f.id = u.file_id and u.target_file_id is null
    where u.tenant_id = ${tenant} and u.idempotency_key in (select json_array_elements_text(${JSON.stringify(keys)}::text::json))`
}

const isSame = (one: readonly string[], other: readonly string[]) => one.join(' ') === other.join(' ')

/** In words, so that a difference can be read. */
function describe(state: State, key: string): string {
  const intent = state.intents.get(key)
  const file = state.files.get(key)
  const { versions = [], owners = [], retention, isHeld } = file ?? {}
  const told =
    file && `${file.state} ${retention} ${isHeld ? 'held' : ''} [${versions.join()}] used by [${owners.join()}]`
  return `${key}: ${intent?.state ?? '-'} ${told ?? '-'}`
}

function describeRow({ key, intent, state, retention, is_held: isHeld, owners, versions }: Row): string {
  const told = state && `${state} ${retention} ${isHeld ? 'held' : ''} [${versions.join()}] used by [${owners.join()}]`
  return `${key}: ${intent} ${told ?? '-'}`
}

function agrees(state: State, row: Row): boolean {
  const intent = state.intents.get(row.key)
  const isEnded = row.intent === 'CANCELLED' || row.intent === 'EXPIRED'
  if (intent && intent.state !== (isEnded ? 'ENDED' : row.intent)) return false
  const file = state.files.get(row.key)
  if (!file) return row.state === null || row.state === 'PURGED' || !intent
  const { state: lives, retention, isHeld, owners, versions } = file
  const isAlike = lives === row.state && retention === row.retention && isHeld === row.is_held
  return isAlike && isSame(owners, row.owners) && isSame(versions, row.versions)
}

/** Finds what happened, given what was sent and what is there now, and makes it the state; fails when nothing explains it. */
export async function settle(world: World, own: TenantWorld, sent: readonly Sent[], swept: Swept): Promise<void> {
  const before = own.state
  const keys = new Set([...before.files.keys(), ...before.intents.keys(), ...sent.map(({ command }) => command.key)])
  const rows = await observe(world, own, [...keys])
  for (const { key, file_id: fileId } of rows) if (fileId !== null) own.fileIds.set(key, fileId)
  const rowOf = new Map(rows.map((row) => [row.key, row]))
  const { begun, contested } = applySweeps(before, sent, swept, rowOf)
  const isSeen = (after: State) =>
    rows.every((row) => agrees(after, row)) &&
    [...after.intents.keys(), ...after.files.keys()].every((key) => rowOf.has(key))
  const after = explain(begun, [...sent, ...contested], isSeen)
  if (!after) throw new Error(unexplained(before, sent, swept, rows))
  own.state = after
}

/** Which sweeps ran beside the commands, and how they ended. */
export interface Swept {
  readonly purge: string | null
  readonly expire: string | null
  readonly clockHours: number
}

/** What a sweep does to things that nobody else touched is certain; the rest is one more command among the others. */
function applySweeps(before: State, sent: readonly Sent[], swept: Swept, rowOf: ReadonlyMap<string, Row>) {
  const touched = new Set(
    sent.flatMap(({ command: { key, ...more } }) => [
      key,
      before.intents.get(key)?.target ?? key,
      ('intent' in more && more.intent.target) || key,
    ]),
  )
  const due = dueFor(before, swept)
  const contested: Sent[] = []
  let begun = before
  for (const { command, answer } of due) {
    const target = before.intents.get(command.key)?.target ?? command.key
    const waits = [...before.intents.values()].some(({ target: of, isExpired }) => of === command.key && isExpired)
    const isContested =
      touched.has(command.key) || touched.has(target) || waits || (swept.purge !== null && target !== command.key)
    const row = rowOf.get(command.key)
    const isDone = command.verb === 'expire' ? row?.intent === 'EXPIRED' : row?.state === 'PURGED'
    if (isContested) contested.push({ command, answer: unknown })
    else if (answer === 'OK' || isDone) begun = apply(begun, command)[1]
  }
  return { begun, contested }
}

function dueFor(before: State, { purge, expire, clockHours }: Swept): Sent[] {
  const due: Sent[] = []
  for (const [key, { state, dueHours }] of before.intents) {
    const isDue = state === 'PENDING' && dueHours <= Math.min(clockHours, 0)
    if (expire !== null && isDue) due.push({ command: { verb: 'expire', key }, answer: expire })
  }
  for (const [key, { state, isCooled }] of before.files) {
    if (purge !== null && state === 'TRASHED' && isCooled) due.push({ command: { verb: 'cool', key }, answer: purge })
  }
  return due
}

function unexplained(before: State, sent: readonly Sent[], swept: Swept, rows: readonly Row[]): string {
  const commands = sent.map(({ command, answer }) => `  ${JSON.stringify(command)} -> ${answer}`)
  const different = rows.filter((row) => !agrees(before, row))
  return [
    'No order of these commands explains what is there now:',
    ...commands,
    `  sweeps: ${JSON.stringify(swept)}`,
    'Before:',
    ...[...new Set([...different.map(({ key }) => key), ...sent.map(({ command }) => command.key)])].map(
      (key) => `  ${describe(before, key)}`,
    ),
    'Now:',
    ...different.map((row) => `  ${describeRow(row)}`),
  ].join('\n')
}
