import { describe, expect, it } from 'vitest'
import {
  allGates,
  type BlobEvidence,
  type CutOff,
  type Gate,
  heldBy,
  referencesGate,
  releaseGate,
  statusGate,
  timeGate,
  useGate,
} from './gates.ts'

const noon = Date.UTC(2030, 0, 1, 12)
const graceMs = 900_000
const at = (ms: number) => new Date(noon + ms)

/** Released an hour ago, and nothing speaks against deleting it. */
const doomed: BlobEvidence = {
  id: '019b0000-0000-7000-8000-000000000001',
  objectKey: 'org/t/files/019b0000-0000-7000-8000-000000000001.txt',
  byteSize: 5,
  etag: '"e"',
  status: 'deleting',
  refcount: 0,
  versionCount: 0,
  createdAt: at(-7_200_000),
  deletingSince: at(-3_600_000),
  databaseNow: at(0),
  attachmentCount: 0,
  holdCount: 0,
  pendingIntentCount: 0,
  releaseCount: 1,
}
const cutOff: CutOff = { releasedBefore: at(-graceMs), graceMs }

const ofStatus = (status: BlobEvidence['status']) => statusGate({ ...doomed, status }, cutOff)
const opensWhen = (opens: typeof useGate, change: Partial<BlobEvidence>) => opens({ ...doomed, ...change }, cutOff)

describe('the gate of status', () => {
  it('opens only for bytes in deleting', () => {
    expect(ofStatus('deleting')).toBe(true)
    expect(ofStatus('ready')).toBe(false)
    expect(ofStatus('pending')).toBe(false)
  })

  it('depends on nothing else', () => {
    expect(opensWhen(statusGate, { refcount: 9, versionCount: 9, deletingSince: null, releaseCount: 0 })).toBe(true)
  })
})

describe('the gate of references', () => {
  it.each([
    [0, 0, true],
    [1, 0, false],
    [0, 1, false],
    [1, 1, false],
    [-1, 0, false],
    [0, 2, false],
  ])('with a counter of %i and %i counted versions returns %s', (refcount, versionCount, opens) => {
    expect(opensWhen(referencesGate, { refcount, versionCount })).toBe(opens)
  })
})

describe('the gate of time', () => {
  const opens = (deletingSince: Date | null, releasedBefore: Date, grace = graceMs) =>
    timeGate({ ...doomed, deletingSince }, { releasedBefore, graceMs: grace })

  it('stays closed without a time of release', () => {
    expect(opens(null, at(0), 0)).toBe(false)
  })

  it('opens at the end of the grace period and not a millisecond before, by the clock of the database', () => {
    expect(opens(at(-graceMs), at(0))).toBe(true)
    expect(opens(at(-graceMs - 1), at(0))).toBe(true)
    expect(opens(at(-graceMs + 1), at(0))).toBe(false)
  })

  it('opens at the cut-off and not a millisecond after', () => {
    expect(opens(at(-graceMs - 500), at(-graceMs - 500))).toBe(true)
    expect(opens(at(-graceMs - 501), at(-graceMs - 500))).toBe(true)
    expect(opens(at(-graceMs - 499), at(-graceMs - 500))).toBe(false)
  })

  it('stays closed for a cut-off in the future of the clock of the database', () => {
    expect(opens(at(-3_600_000), at(0))).toBe(true)
    expect(opens(at(-3_600_000), at(1))).toBe(false)
    expect(opens(at(-3_600_000), at(86_400_000))).toBe(false)
  })

  it('stays closed for a release in the future, with any grace period', () => {
    expect(opens(at(0), at(0), 0)).toBe(true)
    expect(opens(at(1), at(0), 0)).toBe(false)
    expect(opens(at(1), at(1), 0)).toBe(false)
  })
})

describe('the gate of use', () => {
  it.each([
    ['attachmentCount', 1],
    ['holdCount', 1],
    ['pendingIntentCount', 1],
    ['attachmentCount', 2],
    ['attachmentCount', -1],
  ])('stays closed with a %s of %i', (what, count) => {
    expect(opensWhen(useGate, { [what]: count })).toBe(false)
  })

  it('opens if no file that had the bytes is attached, under hold or waiting for a version', () => {
    expect(opensWhen(useGate, {})).toBe(true)
  })
})

describe('the gate of release', () => {
  it.each([
    [0, false],
    [1, true],
    [2, true],
  ])('with %i events returns %s', (releaseCount, opens) => {
    expect(opensWhen(releaseGate, { releaseCount })).toBe(opens)
  })
})

const shutting: Readonly<Record<Gate, Partial<BlobEvidence>>> = {
  STATUS: { status: 'ready' },
  REFERENCES: { versionCount: 1 },
  TIME: { deletingSince: null },
  USE: { attachmentCount: 1 },
  RELEASE: { releaseCount: 0 },
}
const gateNames = Object.keys(shutting) as Gate[]

describe('the gates together', () => {
  it('are five with distinct names', () => {
    expect(allGates).toEqual({
      STATUS: statusGate,
      REFERENCES: referencesGate,
      TIME: timeGate,
      USE: useGate,
      RELEASE: releaseGate,
    })
  })

  it('open for bytes that nothing protects', () => {
    expect(heldBy(doomed, cutOff)).toBeNull()
    expect(heldBy(doomed, cutOff, allGates)).toBeNull()
  })

  it.each(gateNames)('keep the bytes if only %s stays closed', (gate) => {
    expect(heldBy({ ...doomed, ...shutting[gate] }, cutOff)).toBe(gate)
    expect(heldBy({ ...doomed, ...shutting[gate] }, cutOff, { [gate]: allGates[gate] })).toBe(gate)
  })

  it.each(gateNames)('let the bytes go if %s was the only closed gate and is removed', (gate) => {
    const others = Object.fromEntries(Object.entries(allGates).filter(([name]) => name !== gate))
    expect(heldBy({ ...doomed, ...shutting[gate] }, cutOff, others)).toBeNull()
  })

  it('report the first closed gate', () => {
    const inUse = Object.assign({}, doomed, ...Object.values(shutting)) as BlobEvidence
    expect(heldBy(inUse, cutOff)).toBe('STATUS')
    const { USE, RELEASE } = allGates
    expect(heldBy(inUse, cutOff, { USE, RELEASE })).toBe('USE')
    expect(heldBy(inUse, cutOff, {})).toBeNull()
  })

  it('pass the cut-off to the gate that needs it', () => {
    expect(heldBy(doomed, { releasedBefore: at(1), graceMs })).toBe('TIME')
    expect(heldBy(doomed, { releasedBefore: at(0), graceMs: 3_600_001 })).toBe('TIME')
  })
})
