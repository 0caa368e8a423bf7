import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generate, target } from '../../codegen.mjs'

test('operations.ts is what codegen makes of the contract and the documents', async () => {
  expect(readFileSync(target, 'utf8')).toBe(await generate())
})
