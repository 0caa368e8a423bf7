import { buildSchema, isEnumType } from 'graphql'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CleanupRowFragment } from '../apollo/operations.ts'
import {
  cleanupKinds,
  nameOfFinding,
  nameOfGate,
  nameOfKind,
  nameOfOutcome,
  stateNames,
  brakeOf,
  isAlarming,
  isUnfinished,
  summaryOf,
} from './cleanupWords.ts'

const schema = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'))

function valuesOf(name: string): string[] {
  const type = schema.getType(name)
  return isEnumType(type) ? type.getValues().map((value) => value.name) : []
}

const run = (changes: Partial<CleanupRowFragment> = {}): CleanupRowFragment => ({
  id: '1',
  kind: 'PURGE_FILES',
  state: 'DONE',
  isDryRun: false,
  exceedsBrake: false,
  before: null,
  requestedBy: { id: '2', name: 'Ada', kind: 'USER' },
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  examined: 12,
  deleted: 0,
  deletedBytes: 0,
  held: [],
  found: [],
  message: null,
  ...changes,
})

test('every kind of run and every state of the API has words', () => {
  expect(Object.keys(cleanupKinds).toSorted()).toEqual(valuesOf('CleanupKind').toSorted())
  expect(Object.keys(stateNames).toSorted()).toEqual(valuesOf('CleanupState').toSorted())
})

test('every gate and finding of the contract has words', () => {
  const description = schema.getType('CleanupCount')?.astNode
  const text = JSON.stringify(description)
  const named = [...text.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '')
  expect(named.length).toBeGreaterThan(10)
  const worded = (what: string) => (/^[A-Z]/.test(what) ? nameOfGate(what) : nameOfFinding(what))
  expect(named.filter((what) => worded(what) === what.toLowerCase().replaceAll('_', ' '))).toEqual([])
})

test('unknown kinds, states and gates of a newer server are shown by name', () => {
  expect([nameOfKind('SHRED_ALL'), nameOfGate('MOON_PHASE'), nameOfFinding('toString')]).toEqual([
    'shred all',
    'moon phase',
    'tostring',
  ])
})

test('a run reads as a line: looked at, deleted, left alone, found', () => {
  const held = [
    { what: 'HOLD', count: 1 },
    { what: 'TIME', count: 1 },
  ]
  const full = { deleted: 1300, deletedBytes: 1_200_000, held, found: [{ what: 'orphan', count: 4 }] }
  expect(summaryOf(run(full))).toBe('Looked at 12 · deleted 1,300 (1.2 MB) · left 2 alone · found 4 problems')
  expect(summaryOf(run())).toBe('Looked at 12 · no problems')
  expect(summaryOf(run({ examined: 0 }))).toBe('Nothing to look at')
  const message = 'The listing is empty.'
  expect(summaryOf(run({ state: 'REFUSED', examined: 0, message }))).toBe(message)
  expect(summaryOf(run({ state: 'QUEUED' }))).toBe('Begins within a minute')
  expect(summaryOf(run({ state: 'QUEUED', startedAt: '2026-01-01T00:00:00.000Z' }))).toBe(
    'Continues when a worker is free',
  )
})

test('a dry run never claims to have deleted anything', () => {
  expect(summaryOf(run({ deleted: 3, isDryRun: true }))).toBe('Looked at 12 · would delete 3')
  expect(nameOfOutcome('deleted', run({ isDryRun: true }))).toBe('would delete')
  expect(nameOfOutcome('HOLD', run({ isDryRun: true }))).toBe('left alone: under legal hold')
})

test('missing and damaged bytes alarm, and items that a gate held do not', () => {
  expect(isAlarming(run({ found: [{ what: 'missing', count: 1 }] }))).toBe(true)
  expect(isAlarming(run({ held: [{ what: 'IDENTITY', count: 1 }] }))).toBe(true)
  expect(isAlarming(run({ held: [{ what: 'HOLD', count: 1 }], found: [{ what: 'returned', count: 1 }] }))).toBe(false)
})

test('the brake can be exceeded if it stopped the last real run, and not otherwise', () => {
  const stopped = run({ state: 'STOPPED', message: 'More than 1 object would be deleted.' })
  const dry = run({ isDryRun: true })
  expect(brakeOf([run({ state: 'QUEUED' }), dry, stopped, run()])).toBe('More than 1 object would be deleted.')
  expect(brakeOf([run(), stopped])).toBeUndefined()
  expect(brakeOf([run({ state: 'FAILED' }), stopped])).toBeUndefined()
  expect(brakeOf([dry])).toBeUndefined()
})

test('a run is polled until it has ended in any state', () => {
  const open = valuesOf('CleanupState').filter((state) => isUnfinished(run({ state: state as never })))
  expect(open.toSorted()).toEqual(['QUEUED', 'RUNNING'])
})
