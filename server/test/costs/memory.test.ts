import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BuiltProduct, hasProc } from './builtProduct.ts'

/** Measured: 24,000 leave the process where 4,000 have brought it. */
const operations = 6_000

let product: BuiltProduct
let key: string

beforeEach(async () => {
  product = new BuiltProduct()
  await product.start()
  key = await product.createKey('MEMBER')
})
afterEach(() => product.close())

const list = (name: string, rows: number) =>
  `query ${name} { files(first: ${rows}) { nodes { ${name}: id name byteSize uploadedBy { name } version { number } } } }`

/** Resident memory in the middle of all operations, and after them. */
async function send(write: (at: number) => string, isKnown: (at: number) => boolean) {
  let next = 0
  let middle = 0
  const client = async () => {
    for (let at = next++; at < operations; at = next++) {
      if (at === operations / 2) middle = product.residentMB()
      const { status } = await product.ask(write(at), isKnown(at) ? { key } : {})
      expect(status).toBe(isKnown(at) ? 200 : 401)
    }
  }
  await Promise.all(Array.from({ length: 16 }, client))
  return { middle, end: product.residentMB() }
}

describe.runIf(hasProc)('memory does not grow with the number of distinct operations', () => {
  it('that are sent once, by every kind of caller', { timeout: 120_000 }, async () => {
    const { middle, end } = await send(
      (at) => list(`q${at}`, at % 20),
      (at) => at % 2 === 0,
    )
    console.log(`${end.toFixed(0)} MB after ${operations} operations`)
    expect(end).toBeLessThan(200)
    expect(end - middle).toBeLessThan(12)
  })

  it('that are repeated until they are compiled', { timeout: 120_000 }, async () => {
    const { middle, end } = await send(
      (at) => list(`q${at - (at % 3)}`, 2),
      () => true,
    )
    console.log(`${end.toFixed(0)} MB after ${operations} operations`)
    expect(end).toBeLessThan(200)
    expect(end - middle).toBeLessThan(12)
  })
})
