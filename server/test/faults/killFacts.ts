import { setTimeout as sleep } from 'node:timers/promises'
import { type KillClient, newKey, Unanswered } from './killClient.ts'

type FileState = 'READY' | 'ATTACHED' | 'TRASHED' | 'PURGED'

interface Fact {
  readonly id: string
  readonly content: string
  /** What was acknowledged last. */
  state: FileState
  /** What was asked for since without an answer. */
  doubt: FileState | null
}

const steps: Readonly<Record<FileState, readonly (readonly [verb: string, then: FileState])[]>> = {
  READY: [
    ['attachFile', 'ATTACHED'],
    ['attachFile', 'ATTACHED'],
    ['deleteFile', 'TRASHED'],
  ],
  ATTACHED: [['detachFile', 'READY']],
  TRASHED: [
    ['restoreFile', 'READY'],
    ['purgeFile', 'PURGED'],
  ],
  PURGED: [],
}

const kinds = ['DELETE_BLOBS', 'RECONCILE', 'PURGE_FILES', 'EXPIRE_UPLOADS', 'VERIFY']
const keptFiles = 25

/** One client at work on files of its own: it writes down everything that was acknowledged, and holds the product to it. */
export class KillFacts {
  readonly #client: KillClient
  readonly #facts: Fact[] = []
  readonly #unfinished: { key: string; content: string }[] = []
  commands = 0
  acknowledged = 0
  unanswered = 0

  constructor(client: KillClient) {
    this.#client = client
  }

  /** Works until it is told to stop or nobody answers. */
  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.commands += 1
      try {
        await this.#step()
        this.acknowledged += 1
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        this.unanswered += 1
        await sleep(250)
      }
    }
  }

  async #step(): Promise<void> {
    const sure = this.#facts.filter(({ doubt, state }) => doubt === null && state !== 'PURGED')
    const fact = sure[Math.floor(Math.random() * sure.length)]
    if (Math.random() < 0.03) return this.#sweep()
    const kept = this.#facts.filter(({ state }) => state !== 'PURGED')
    const isFull = kept.length + this.#unfinished.length >= keptFiles
    if (!isFull && (!fact || Math.random() < 0.4)) return this.#upload()
    if (!fact) throw new Unanswered('Everything is in doubt')
    const [verb, then] = steps[fact.state][Math.floor(Math.random() * steps[fact.state].length)] ?? []
    if (verb && then) await this.#change(fact, verb, then)
  }

  async #sweep(): Promise<void> {
    const kind = kinds[Math.floor(Math.random() * kinds.length)]
    const query = 'mutation ($input: RunCleanupInput!) { runCleanup(input: $input) { __typename } }'
    await this.#client.ask(query, { input: { kind } })
  }

  async #upload(): Promise<void> {
    const key = newKey()
    const unfinished = { key, content: `bytes of ${key} ${'.'.repeat(Math.random() * 2_000)}` }
    this.#unfinished.push(unfinished)
    await this.#finish(unfinished)
  }

  async #finish(unfinished: { key: string; content: string }): Promise<void> {
    const id = await this.#client.upload(unfinished.key, unfinished.content)
    this.#unfinished.splice(this.#unfinished.indexOf(unfinished), 1)
    this.#facts.push({ id, content: unfinished.content, state: 'READY', doubt: null })
  }

  async #change(fact: Fact, verb: string, then: FileState): Promise<void> {
    fact.doubt = then
    const isAttachment = verb === 'attachFile' || verb === 'detachFile'
    const input = isAttachment ? { fileId: fact.id, ownerType: 'row', ownerId: fact.id } : { id: fact.id }
    const { code } = await this.#client.change(verb, input)
    if (code !== 'OK') throw new Error(`${verb} of a file that is ${fact.state} was refused: ${code}`)
    fact.state = then
    fact.doubt = null
  }

  /** Everything that was acknowledged is so, and what was not is one or the other. Answers with what was lost. */
  async verify(): Promise<string[]> {
    const [ready, trashed] = await patiently(() =>
      Promise.all([this.#client.list('READY'), this.#client.list('TRASHED')]),
    )
    const live = new Map(ready.map((node) => [node.id as string, node]))
    const inTrash = new Set(trashed.map(({ id }) => id as string))
    const losses: string[] = []
    for (const fact of this.#facts) {
      const node = live.get(fact.id)
      const found = node
        ? node.attachmentCount > 0
          ? 'ATTACHED'
          : 'READY'
        : inTrash.has(fact.id)
          ? 'TRASHED'
          : 'PURGED'
      if (found !== fact.state && found !== fact.doubt) {
        losses.push(`${fact.id} is ${found}, and was acknowledged as ${fact.state}, asked to be ${fact.doubt}`)
      }
      fact.state = found
      fact.doubt = null
      const isWhole = !node || (await (await fetch(node.downloadUrl)).text()) === fact.content
      if (!isWhole) losses.push(`${fact.id} has other bytes`)
    }
    for (let next = this.#unfinished[0]; next; next = this.#unfinished[0]) {
      const unfinished = next
      await patiently(() => this.#finish(unfinished))
    }
    return losses
  }
}

/** A database that lost a process recovers for a moment, also when it was ready just before. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Unanswered) || tries === 100) throw error
      await sleep(300)
    }
  }
}
