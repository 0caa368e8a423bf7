import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const bench = fileURLToPath(new URL('../../bench', import.meta.url))
const source = fileURLToPath(new URL('../src', import.meta.url))

/** `const { a, b } = await product('folder/module.js')`: no compiler follows these imports. */
const imports = readdirSync(bench, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.mjs'))
  .flatMap((path) => [
    ...readFileSync(join(bench, path), 'utf8').matchAll(/const \{([^}]+)\} = await product\('([^']+)'\)/g),
  ])
  .flatMap(([, names = '', module = '']) =>
    names.split(',').map((name) => ({ name: name.trim(), module: module.replace(/\.js$/, '.ts') })),
  )

it('finds what the benchmarks import', () => expect(imports.length).toBeGreaterThan(30))

it.each(imports)('$module exports $name for the benchmarks', ({ name, module }) => {
  const exported = new RegExp(`^export (?:async )?(?:function|const|class) ${name}\\b`, 'm')
  expect(readFileSync(join(source, module), 'utf8')).toMatch(exported)
})
