import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generate, target } from '../../codegen.mjs'

test('operations.ts is the output of codegen', async () => {
  expect(readFileSync(target, 'utf8')).toBe(await generate())
})
