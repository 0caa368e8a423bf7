/**
 * What one tenant holds, as a client understands the rules: no table, no blob, no clock but "its time is over". Files and
 * intents are known by the name that the client gave the intent; a file has the name of the intent that made it.
 */
export interface State {
  readonly files: ReadonlyMap<string, FileModel>
  readonly intents: ReadonlyMap<string, IntentModel>
}

export interface FileModel {
  /** The intents that its versions came from, oldest first. */
  readonly versions: readonly string[]
  readonly retention: 'KEPT' | 'WHILE_ATTACHED'
  /** Who uses it, in order of name. */
  readonly owners: readonly string[]
  readonly state: 'LIVE' | 'TRASHED' | 'PURGED'
  readonly isCooled: boolean
  readonly isHeld: boolean
}

export interface IntentModel {
  /** The file that gets a new version; null makes a new file. */
  readonly target: string | null
  readonly retention: 'KEPT' | 'WHILE_ATTACHED'
  /** The client declared a SHA-256, and the bucket refuses other bytes at once. */
  readonly isProved: boolean
  readonly state: 'PENDING' | 'COMMITTED' | 'ENDED'
  readonly stored: 'NOTHING' | 'GOOD' | 'WRONG'
  /** When its time is over, in hours from now; the clock of the application may be elsewhere. */
  readonly dueHours: number
  readonly isExpired: boolean
}

export type Command =
  | { readonly verb: 'intend'; readonly key: string; readonly intent: IntentModel }
  | { readonly verb: 'put'; readonly key: string; readonly bytes: 'GOOD' | 'WRONG' }
  | { readonly verb: 'commit' | 'cancel' | 'expire'; readonly key: string }
  | { readonly verb: 'attach' | 'detach' | 'replace'; readonly key: string; readonly owner: string }
  | { readonly verb: 'delete' | 'restore' | 'hold' | 'release' | 'purge' | 'cool' | 'trespass'; readonly key: string }
  | { readonly verb: 'retain'; readonly key: string; readonly retention: FileModel['retention'] }

/** OK, or the code of a refusal. */
export type Answer = string

/** What a command answers, and what is so afterwards. */
export type Outcome = readonly [Answer, State]

export const emptyState: State = { files: new Map(), intents: new Map() }

const withFile = (state: State, key: string, change: Partial<FileModel>): State => {
  const file = state.files.get(key)
  return file ? { ...state, files: new Map(state.files).set(key, { ...file, ...change }) } : state
}
const withIntent = (state: State, key: string, change: Partial<IntentModel>): State => {
  const intent = state.intents.get(key)
  return intent ? { ...state, intents: new Map(state.intents).set(key, { ...intent, ...change }) } : state
}

/** The whole of the rules. */
export function apply(state: State, command: Command): Outcome {
  const { verb, key } = command
  if (verb === 'trespass') return ['NOT_FOUND', state]
  if (command.verb === 'intend') return intend(state, key, command.intent)
  if (isOfIntent(command)) return applyToIntent(state, command)
  const file = state.files.get(key)
  if (!file || file.state === 'PURGED') return [verb === 'cool' ? 'OK' : 'NOT_FOUND', state]
  return applyToFile(state, command, file)
}

const isOfIntent = (command: Command): command is OfIntent =>
  ['put', 'commit', 'cancel', 'expire'].includes(command.verb)

function intend(state: State, key: string, intent: IntentModel): Outcome {
  if (state.intents.has(key)) return ['OK', state]
  if (intent.target !== null && state.files.get(intent.target)?.state !== 'LIVE') return ['NOT_FOUND', state]
  return ['OK', { ...state, intents: new Map(state.intents).set(key, intent) }]
}

type OfIntent = Extract<Command, { verb: 'put' } | { verb: 'commit' | 'cancel' | 'expire' }>

function applyToIntent(state: State, command: OfIntent): Outcome {
  const { verb, key } = command
  const intent = state.intents.get(key)
  if (!intent) return ['NOT_FOUND', state]
  if (verb === 'put') return put(state, key, intent, command.bytes)
  if (verb === 'commit') return commit(state, key, intent)
  if (intent.state === 'COMMITTED') return [verb === 'expire' ? 'OK' : 'CONFLICT', state]
  return ['OK', withIntent(state, key, { state: 'ENDED' })]
}

function put(state: State, key: string, intent: IntentModel, bytes: 'GOOD' | 'WRONG'): Outcome {
  // The URL outlives the intent: bytes that arrive too late belong to no file.
  if (intent.state !== 'PENDING') return ['ANY', state]
  if (intent.stored !== 'NOTHING') return ['EXISTS', state]
  if (bytes === 'WRONG' && intent.isProved) return ['REFUSED', state]
  return ['OK', withIntent(state, key, { stored: bytes })]
}

function commit(state: State, key: string, intent: IntentModel): Outcome {
  if (intent.state === 'COMMITTED') {
    const { state: of = 'PURGED' } = state.files.get(intent.target ?? key) ?? {}
    return [of === 'PURGED' ? 'NOT_FOUND' : 'OK', state]
  }
  if (intent.state === 'ENDED' || intent.isExpired) return ['CONFLICT', state]
  if (intent.stored === 'NOTHING') return ['UPLOAD_INCOMPLETE', state]
  if (intent.stored === 'WRONG') return ['CONTENT_MISMATCH', withIntent(state, key, { state: 'ENDED' })]
  const { target, retention } = intent
  const committed = withIntent(state, key, { state: 'COMMITTED' })
  if (target === null) {
    const fresh = { versions: [key], retention, owners: [], isCooled: false, isHeld: false, state: 'LIVE' } as const
    return ['OK', { ...committed, files: new Map(state.files).set(key, fresh) }]
  }
  const file = state.files.get(target)
  if (file?.state !== 'LIVE') return ['CONFLICT', state]
  return ['OK', withFile(committed, target, { versions: [...file.versions, key] })]
}

type OfFile = Exclude<Command, { verb: 'intend' } | OfIntent>

function applyToFile(state: State, command: OfFile, file: FileModel): Outcome {
  const { verb, key } = command
  if (verb === 'hold') return ['OK', withFile(state, key, { isHeld: true })]
  if (verb === 'release') return ['OK', withFile(state, key, { isHeld: false })]
  if (verb === 'restore') return ['OK', withFile(state, key, { state: 'LIVE', isCooled: false })]
  if (verb === 'retain') {
    return file.state === 'LIVE' ? ['OK', withFile(state, key, { retention: command.retention })] : ['NOT_FOUND', state]
  }
  if (verb === 'detach') return ['OK', detach(state, key, command.owner)]
  if (verb === 'attach' || verb === 'replace') {
    return file.state === 'LIVE' ? ['OK', attach(state, command, file)] : ['CONFLICT', state]
  }
  return end(state, command, file)
}

function attach(
  state: State,
  { verb, key, owner }: Extract<Command, { verb: 'attach' | 'detach' | 'replace' }>,
  file: FileModel,
) {
  const others = verb === 'replace' ? [...state.files.keys()].filter((other) => other !== key) : []
  const attached = withFile(state, key, { owners: [...new Set([...file.owners, owner])].sort() })
  return others.reduce((before, other) => detach(before, other, owner), attached)
}

function detach(state: State, key: string, owner: string): State {
  const file = state.files.get(key)
  if (!file?.owners.includes(owner)) return state
  const owners = file.owners.filter((other) => other !== owner)
  const isOver = owners.length === 0 && file.retention === 'WHILE_ATTACHED' && !file.isHeld
  return withFile(state, key, { owners, ...(isOver && { state: 'TRASHED', isCooled: false }) })
}

function end(state: State, { verb, key }: OfFile, file: FileModel): Outcome {
  const awaits = [...state.intents.values()].some((intent) => intent.target === key && intent.state === 'PENDING')
  const isTrashed = file.state === 'TRASHED'
  if (verb === 'delete') {
    if (isTrashed) return ['OK', state]
    if (file.owners.length > 0) return ['FILE_IN_USE', state]
    return file.isHeld ? ['CONFLICT', state] : ['OK', withFile(state, key, { state: 'TRASHED', isCooled: false })]
  }
  const mayGo = isTrashed && !file.isHeld && !awaits
  const isDue = verb === 'purge' || file.isCooled
  if (mayGo && isDue) return ['OK', withFile(state, key, { state: 'PURGED', versions: [] })]
  if (verb === 'cool') return ['OK', state]
  return [file.owners.length > 0 ? 'FILE_IN_USE' : 'CONFLICT', state]
}
