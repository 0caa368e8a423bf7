import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { Refusal } from '../../src/domain/refusals.ts'
import { actions, type Order, type Subject } from './crashActions.ts'
import { type CrashScenario, crashScenarios } from './crashScenarios.ts'
import { type CrashScene, endAllWaits, look, openCrashScene, plantAttached, plantTrashed } from './crashScene.ts'

const isLong = process.env['FAULTS'] === 'long'

let scene: CrashScene
let witnesses: { readonly subject: Subject; readonly told: string }[]
let points = 0

beforeAll(async () => {
  scene = await openCrashScene()
  for (let times = 0; times < 4; times += 1) await actions.advanceMarker(scene.member)
  const planted = [await plantAttached(scene), await plantTrashed(scene)]
  await scene.sql`update attachments set owner_id = 'witness'`
  witnesses = await Promise.all(planted.map(async (subject) => ({ subject, told: await look(scene, subject) })))
})

afterAll(async () => {
  console.log(`crash points: ${points} kills`)
  await scene.close()
})

describe('a process that is killed loses nothing acknowledged and leaves nothing half done', () => {
  for (const scenario of crashScenarios) {
    it(`at every step of ${scenario.name}`, { timeout: isLong ? 900_000 : 120_000 }, async () => {
      const { steps, before, after } = await recordSteps(scenario)
      expect(steps.length).toBeGreaterThan(1)
      for (const step of chooseSteps(steps)) await killAt(scenario, step, before, after)
    })
  }
})

/** All of them; in a short pass one of each, chosen by chance. */
function chooseSteps(steps: readonly string[]): readonly string[] {
  const at = Math.floor(Math.random() * steps.length)
  return isLong ? steps : steps.slice(at, at + 1)
}

const order = ({ action, isSweep }: CrashScenario, subject: Subject, step: string | null): Order => {
  const principal = isSweep ? scene.system : scene.tenant.member
  return { action, subject, principal, step, signal: 'SIGKILL' }
}

async function recordSteps(scenario: CrashScenario) {
  const subject = await scenario.plant(scene)
  const before = await look(scene, subject)
  const report = await scene.workers.carryOut(order(scenario, subject, null))
  await settle()
  return { steps: report?.steps ?? [], before, after: await look(scene, subject) }
}

async function killAt(scenario: CrashScenario, step: string, before: string, after: string): Promise<void> {
  const subject = await scenario.plant(scene)
  expect([step, await scene.workers.carryOut(order(scenario, subject, step))]).toEqual([step, null])
  points += 1
  const found = await look(scene, subject)
  if (!scenario.isSweep) expect([step, withoutStored(before), withoutStored(after)]).toContain(withoutStored(found))
  for (const { subject: witness, told } of witnesses) expect([step, await look(scene, witness)]).toEqual([step, told])
  await endAllWaits(scene)
  await repeat(scenario, subject)
  await settle()
  expect([step, await look(scene, subject)]).toEqual([step, after])
  for (const { subject: witness, told } of witnesses) expect([step, await look(scene, witness)]).toEqual([step, told])
  expect([step, await violationsIn(scene.service)]).toEqual([step, []])
}

/** Of an ended upload the bytes go with the sweep that comes later. */
const withoutStored = (told: string) => told.replace(/"blob":("\w+"|null),/, '').replace(/,"isStored":\w+/, '')

/** The client asks again: it is done then, or a refusal says that it was done before. */
async function repeat({ action, isSweep }: CrashScenario, subject: Subject): Promise<void> {
  const ctx = scene.service.contextOf(isSweep ? scene.system : scene.tenant.member)
  try {
    await actions[action](ctx, subject)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    expect(['CONTENT_MISMATCH', 'NOT_FOUND']).toContain(error.code)
  }
}

/** The sweeps come again, as they do every minute. */
async function settle(): Promise<void> {
  const ctx = scene.service.contextOf(scene.system)
  await actions.runQueued(ctx)
  for (const kind of ['EXPIRE_UPLOADS', 'PURGE_FILES', 'DELETE_BLOBS', 'RECONCILE'] as const) {
    await endAllWaits(scene)
    expect((await scene.service.sweep(scene.tenant.id, kind)).ended).toBeNull()
  }
}
