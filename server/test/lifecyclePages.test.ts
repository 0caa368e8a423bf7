import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ByHand } from '../src/cli/verify/proof.ts'
import { promises } from '../src/cli/verify/promises.ts'
import { attachFile } from '../src/domain/files/attachments/attachments.ts'
import { openWorkbench, type Workbench } from '../src/domain/fsck/testing/workbench.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(repository, 'docs/lifecycle')
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))
const textOf = (path: string) => readFileSync(join(repository, path), 'utf8')

/** An identifier and, in brackets behind it, where it is: `` `commitUpload` (`server/src/…/commitUpload.ts:38`) ``. */
const citation = /`([\w.]+)` \(`([\w./-]+\.\w+):(\d+)`\)/g
/** How far the identifier may have moved before the page has to follow. */
const tolerance = 3

const isDeclaration = (line: string) =>
  /\b(function|const|class|interface|type|check|trigger|constraint|index|foreignKey)\b/i.test(line) &&
  !line.startsWith('import')

/** The line to cite: the given one as long as the identifier is near it, else the nearest that declares or names it. */
function lineOf(identifier: string, path: string, cited: number): number {
  const word = new RegExp(`(?<!\\w)${identifier.replaceAll('.', String.raw`\.`)}(?!\\w)`)
  const lines = textOf(path).split('\n')
  const found = lines.flatMap((line, at) => (word.test(line) ? [at + 1] : []))
  if (found.length === 0) throw new Error(`${path} does not contain ${identifier}`)
  if (found.some((line) => Math.abs(line - cited) <= tolerance)) return cited
  const declared = found.filter((line) => isDeclaration(lines[line - 1] ?? ''))
  const [nearest = cited] = (declared.length > 0 ? declared : found).toSorted(
    (a, b) => Math.abs(a - cited) - Math.abs(b - cited),
  )
  return nearest
}

describe.each(pages)('docs/lifecycle/%s', (name) => {
  const page = textOf(`docs/lifecycle/${name}`)

  it('cites the lines of its identifiers; `npm test -- lifecyclePages --update` moves them', async () => {
    const corrected = page.replaceAll(
      citation,
      (_all, identifier: string, path: string, cited: string) =>
        `\`${identifier}\` (\`${path}:${lineOf(identifier, path, Number(cited))}\`)`,
    )
    await expect(corrected).toMatchFileSnapshot(join(folder, name))
  })

  it('names an identifier with every cited line', () => {
    const cited = page.match(/[\w./-]+\.(?:ts|tsx|sql|mjs|md):\d+/g) ?? []
    expect([...page.matchAll(citation)].map(([, , path, line]) => `${path}:${line}`)).toEqual(cited)
  })

  it('names only files that exist', () => {
    const paths = [...page.matchAll(/`((?:server|console|docs|drizzle|bench)\/[\w./-]+\.\w+)/g)].map(([, path]) => path)
    expect(paths.filter((path) => !existsSync(join(repository, path ?? '')))).toEqual([])
  })
})

it('cite enough lines that the tests above are meaningful', () => {
  const count = pages.reduce((sum, name) => sum + [...textOf(`docs/lifecycle/${name}`).matchAll(citation)].length, 0)
  expect(count).toBeGreaterThan(60)
})

it('verification.md shows the commands of `filegraph verify`; `npm test -- lifecyclePages --update` rewrites it', async () => {
  const sections = promises.map(({ promise, byHand }) => `## ${promise}\n\n${byHand.map(sectionOf).join('\n\n')}\n`)
  await expect([introduction, ...sections].join('\n')).toMatchFileSnapshot(join(folder, 'verification.md'))
})

const sectionOf = ({ command, expected }: ByHand) =>
  `\`\`\`sh\n${command}\n\`\`\`\n\nExpected:\n\n\`\`\`\n${expected}\n\`\`\``

const promisesPath = 'server/src/cli/verify/promises.ts'
const introduction = `# Verification

One or more commands for each promise of \`ARCHITECTURE.md\`. Run them from the root of a checkout. \`filegraph verify\` checks the
running system itself and prints the same commands. Both come from \`promises\` (\`${promisesPath}:${lineOf('promises', promisesPath, 0)}\`).

- Commands with \`psql\` need \`DATABASE_URL\` of a superuser or of a role with BYPASSRLS. Row-level security hides the rows of
  every tenant from other roles: each count is then 0 and proves nothing. If \`DATABASE_SCHEMA\` is set, replace \`filegraph\` with it.
- Commands with \`vitest\` start a PostgreSQL and a bucket of their own and touch no data. Their last lines contain the expected text.
- Commands with \`grep\` read the sources.
`

interface Pasted extends ByHand {
  readonly where: string
}

/** Each `sh` block of the other pages, with the block of the expected answer behind it. */
const inPages = pages.flatMap((name): Pasted[] => {
  const blocks = textOf(`docs/lifecycle/${name}`).matchAll(
    /```sh\n(.+)\n```\n\nExpected[^\n]*:\n\n```\n([\s\S]*?)\n```/g,
  )
  return [...blocks].map(([, command = '', expected = '']) => ({ where: name, command, expected }))
})

const pasted = [
  ...inPages.filter(({ where }) => where !== 'verification.md'),
  ...promises.flatMap(({ promise, byHand }) => byHand.map((one): Pasted => ({ ...one, where: promise }))),
]

describe('a command prints the expected output', () => {
  let bench: Workbench
  let superuser: postgres.Sql

  beforeAll(async () => {
    bench = await openWorkbench({ keepsConstraints: true })
    superuser = postgres(bench.service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    await bench.furnish()
    const tenant = await bench.furnish()
    await bench.plant(`update tenants set slug = 'acme' where id = '${tenant.id}'`)
    await bench.plant(`update attachments set owner_type = 'invoice' where tenant_id = '${tenant.id}'`)
    await attachFile(tenant.ctx, tenant.kept, { ownerType: 'avatar', ownerId: '1', slot: 'default' })
  })

  afterAll(async () => {
    await superuser.end()
    await bench.close()
  })

  it.each(pasted)('$where: $command', async ({ command, expected }) => {
    const [, query] = /^psql "\$DATABASE_URL" -XqAtc "([^"$]+)"$/.exec(command) ?? []
    if (query) return expect(await answerOf(superuser, query)).toBe(expected)
    const [, path, title] = /^\(cd server && npx vitest run (\S+) -t "([^"$]+)"\)$/.exec(command) ?? []
    if (path && title) return expect(titlesIn(`server/${path}`)).toContainEqual(expect.stringContaining(title))
    const [, text, under] =
      /^grep -rlF '([^']+)' (\S+) --include='\*\.ts' --exclude='\*\.test\.ts' \| sort$/.exec(command) ?? []
    if (text && under) return expect(filesWith(text, under)).toEqual(expected.split('\n'))
    throw new Error(`This test does not know how to run: ${command}`)
  })

  it('that counts rows has rows to count', async () => {
    const counted = 'select count(*) > 0 from events union all select count(*) > 0 from attachments'
    expect(await answerOf(superuser, counted)).toBe('t\nt')
  })
})

/** What `psql -XqAt` prints for the last statement. */
async function answerOf(sql: postgres.Sql, statements: string): Promise<string> {
  const results = (await sql.unsafe(statements).simple()) as unknown as postgres.Row[] | postgres.Row[][]
  const last = (Array.isArray(results[0]) ? results.at(-1) : results) as postgres.Row[]
  const shown = (value: unknown) => (typeof value === 'boolean' ? value.toString().slice(0, 1) : String(value))
  return last.map((row) => Object.values(row).map(shown).join('|')).join('\n')
}

/** Vitest finds a test by its own title or by that of a group around it. */
const titlesIn = (path: string): string[] =>
  [...textOf(path).matchAll(/\b(?:it|describe)(?:\.\w+(?:\([^)]*\))?)*\(\s*(['"`])(.*?)\1/g)].map(
    ([, , title = '']) => title,
  )

function filesWith(text: string, under: string): string[] {
  const names = readdirSync(join(repository, under), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(under, name))
    .filter((path) => textOf(path).includes(text))
    .map((path) => relative('.', path))
    .toSorted()
}
