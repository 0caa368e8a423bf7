import { expect, it } from 'vitest'
import { acceptBucket } from '../../src/domain/installation/acceptBucket.ts'
import { recordStrayRun, usualStrayRun } from '../../src/domain/sweeps/strays/recordStrayRun.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { type DatabaseCopy, listAll, listVetoes } from './drill.ts'
import { cloneOf, type CopiedBy, type LivingDatabase, productionOf } from './livingDatabases.ts'
import { Chance } from './modelRandom.ts'

const seed = Number(process.env['FILEGRAPH_SEED'] ?? Date.now() % 1_000_000)
const budgetMs = Number(process.env['FILEGRAPH_RANDOM_MS'] ?? 20_000)
const stepsPerWorld = 40

/** A database that runs, and the keys of which it has ever had a row. */
interface Side {
  readonly living: LivingDatabase
  readonly known: Set<string>
}

const steps = {
  upload: 6,
  trash: 4,
  restore: 2,
  purge: 4,
  sweep: 8,
  look: 4,
  searchStrays: 2,
  together: 3,
  copy: 2,
  accept: 2,
  putBack: 1,
} as const

/** Some databases on one bucket, graces of zero, and what has to hold after each step. */
class World {
  readonly #seed: number
  readonly #chance: Chance
  readonly #service: TestService
  readonly #tenant: TestTenant
  readonly #sides: Side[]
  readonly #copies: DatabaseCopy[] = []
  readonly #done: string[] = []
  /** Of which a person said last that it owns the bucket. Null: it was restored since, and nobody has decided. */
  #accepted: Side | null
  /** Keys of the accepted side whose bytes were gone when it was accepted. */
  #lostBefore = new Set<string>()
  deleted = 0
  refusedSteps = 0

  constructor(worldSeed: number, service: TestService, tenant: TestTenant) {
    this.#seed = worldSeed
    this.#chance = new Chance(worldSeed)
    this.#service = service
    this.#tenant = tenant
    this.#accepted = { living: productionOf(service, tenant), known: new Set() }
    this.#sides = [this.#accepted]
  }

  async step(): Promise<void> {
    const side = this.#chance.pick(this.#sides)
    if (!side) throw new Error('No database runs')
    await this.checked(this.#chance.weighed(steps), side)
  }

  /** Ends with a decision, after which the side that was accepted deletes what is its own to delete. */
  async finish(): Promise<void> {
    const side = this.#chance.pick(this.#sides)
    if (!side) throw new Error('No database runs')
    const before = this.deleted
    for (const step of ['accept', 'upload', 'trash', 'purge', 'sweep'] as const) await this.checked(step, side)
    expect(this.deleted, `the accepted side deletes again\n${this.#story()}`).toBeGreaterThan(before)
  }

  async close(): Promise<void> {
    for (const copy of this.#copies) await copy.close()
  }

  async checked(step: keyof typeof steps, side: Side): Promise<void> {
    const { blobs } = this.#service
    const before = await this.#objects()
    const hadVeto = (await listVetoes(blobs)).length > 0
    this.#done.push(`${step} in ${side.living.name}${hadVeto ? ', under a veto' : ''}`)
    await this.#act(step, side, hadVeto)
    const after = await this.#objects()
    for (const key of after) if (!before.has(key)) side.known.add(key)
    const gone = [...before].filter((key) => !after.has(key))
    this.deleted += gone.length
    if (hadVeto) {
      this.refusedSteps += 1
      expect(gone, `nothing is deleted while a veto stands\n${this.#story()}`).toEqual([])
    }
    const knows = step === 'together' ? this.#sides : [side]
    const strange = gone.filter((key) => !knows.some(({ known }) => known.has(key)))
    expect(strange, `nobody deletes what it never had a row of\n${this.#story()}`).toEqual([])
    for (const key of await this.#liveKeysOf(this.#accepted)) {
      const isThere = after.has(key) || this.#lostBefore.has(key)
      expect(isThere, `the accepted side keeps the bytes of live files: ${key}\n${this.#story()}`).toBe(true)
    }
  }

  async #act(step: keyof typeof steps, side: Side, hadVeto: boolean): Promise<unknown> {
    const { living } = side
    const anyOf = async (ids: Promise<string[]>, act: (id: string) => Promise<unknown>) => {
      const id = this.#chance.pick(await ids)
      return id === undefined ? undefined : act(id)
    }
    const live = async () => (await living.liveFiles()).map(({ fileId }) => fileId)
    switch (step) {
      case 'upload':
        return living.upload()
      case 'trash':
        return anyOf(live(), living.trash)
      case 'restore':
        return anyOf(living.trashedFiles(), living.restore)
      case 'purge':
        return anyOf(living.trashedFiles(), living.purge)
      case 'sweep':
        return living.sweep()
      case 'look':
        return living.look()
      case 'searchStrays': {
        // A request of an operator has no effect while another database objects.
        const asked = { ...usualStrayRun, exceedsBrake: true, includesForeign: hadVeto }
        return recordStrayRun({ ...living.parts, settings: this.#service.cleanup, actor: 'a test' }, asked)
      }
      case 'together': {
        const other = this.#chance.pick(this.#sides)?.living ?? living
        return Promise.all([living.sweep(), other.look(), other.sweep(), living.look()])
      }
      case 'copy':
        return this.#copy(this.#chance.is(0.5) ? 'DUMP' : 'DISK')
      case 'accept':
        return this.#accept(side)
      case 'putBack':
        return this.#putBack()
    }
  }

  /** Copies production, which goes on. Not after a restore. */
  async #copy(by: CopiedBy): Promise<Side | null> {
    const original = this.#sides.find(({ living }) => living.parts.database === this.#service.database)
    if (!original || this.#copies.length >= 3) return null
    const { clone, copy } = await cloneOf(this.#service, this.#tenant, by)
    this.#copies.push(copy)
    const side = { living: clone, known: new Set(original.known) }
    this.#sides.push(side)
    return side
  }

  async #accept(side: Side): Promise<void> {
    await acceptBucket(side.living.parts, 'a test')
    this.#accepted = side
    const objects = await this.#objects()
    this.#lostBefore = new Set((await this.#liveKeysOf(side)).filter((key) => !objects.has(key)))
  }

  /** The first database stops permanently, and an earlier copy of it continues. */
  async #putBack(): Promise<void> {
    const [first, ...others] = this.#sides
    if (!first || others.length === 0) return
    this.#sides.shift()
    if (this.#accepted === first) this.#accepted = null
  }

  async #objects(): Promise<Set<string>> {
    const lines = await listAll(this.#service.blobs)
    return new Set(lines.map((line) => line.split(' ')[0] ?? '').filter((key) => key.startsWith('org/')))
  }

  async #liveKeysOf(side: Side | null): Promise<string[]> {
    return side === null ? [] : (await side.living.liveFiles()).map(({ key }) => key)
  }

  readonly #story = () => [`FILEGRAPH_SEED=${this.#seed}`, ...this.#done].join('\n')
}

it(
  `running databases on one bucket delete nothing of each other, in any order (FILEGRAPH_SEED=${seed})`,
  { timeout: budgetMs + 60_000 },
  async () => {
    const end = performance.now() + budgetMs
    let [worlds, refused] = [0, 0]
    for (; performance.now() < end; worlds += 1) {
      const service = await startTestService()
      Object.assign(service.cleanup, { orphanGraceMs: 0, purgeGraceMs: 0, listedPerSecond: 1_000_000 })
      const tenant = await service.createTenant()
      const world = new World(seed + worlds, service, tenant)
      try {
        for (let step = 0; step < stepsPerWorld && performance.now() < end; step += 1) await world.step()
        await world.finish()
        refused += world.refusedSteps
      } finally {
        await world.close()
        await service.close()
      }
    }
    expect(worlds).toBeGreaterThan(0)
    console.info(`${worlds} worlds, ${refused} steps under a veto, from FILEGRAPH_SEED=${seed}`)
  },
)
