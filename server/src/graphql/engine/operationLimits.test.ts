import { getIntrospectionQuery, Kind, parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../schema.ts'
import { costsTooMuch } from './operationCost.ts'
import { anonymousLimits, type DocumentBounds, measureDocument, operationLimits } from './operationLimits.ts'

function refused(text: string, variables: Record<string, unknown> = {}): boolean {
  const document = parse(text)
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  if (!operation) throw new Error('no operation')
  return measure(text).asksTooMuch || costsTooMuch({ schema, document, operation, variables })
}

const measure = (text: string, bounds: DocumentBounds = operationLimits) => measureDocument(parse(text), bounds)

const times = (count: number, write: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => write(at)).join(' ')

const fullFile = `id name contentType byteSize sha256 state uploadedAt updatedAt deletedAt downloadUrl
  uploadedBy { id kind name email } deletedBy { id name } version { id number name byteSize createdAt createdBy { name } }`

describe('an operation within the limits', () => {
  it.each([
    [
      'a page of 100 files with everything about each',
      `{ files(first: 100) { pageInfo { endCursor } edges { cursor node { ${fullFile} } } } }`,
    ],
    [
      'versions inside a page',
      `{ files(first: 20) { nodes { id versions(first: 10) { nodes { number createdBy { name } } } } } }`,
    ],
    [
      'what GraphiQL asks at its start',
      getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, schemaDescription: true }),
    ],
    ['100 nodes', `{ nodes(ids: [${times(100, () => '"x"')}]) { id ... on File { ${fullFile} } } }`],
    [
      'a mutation',
      'mutation { deleteFile(input: { id: "x" }) { __typename ... on DeleteFileSuccess { file { id } } } }',
    ],
  ])('passes: %s', (_name, text) => expect(refused(text)).toBe(false))
})

describe('an operation above a limit', () => {
  const nested = (levels: number) =>
    times(levels, (at) => `fragment f${at} on File { ...f${at + 1} ...f${at + 1} }`) +
    ` fragment f${levels} on File { id }`

  it.each([
    ['aliases', `{ ${times(operationLimits.aliases + 1, (at) => `a${at}: __typename`)} }`],
    ['repeats of a field', `{ ${times(operationLimits.repeatsOfOneField + 1, () => '__typename')} }`],
    ['repeats hidden in fragments', `query { ${times(50, () => '...f')} } fragment f on Query { __typename }`],
    ['root fields', `{ ${times(operationLimits.rootFields + 1, (at) => `a${at}: usage { fileCount }`)} }`],
    ['depth', deep(20)],
    ['rows times rows', '{ files(first: 100) { nodes { versions(first: 100) { nodes { id number } } } } }'],
    ['nested fragments', `{ files { nodes { ...f0 } } } ${nested(14)}`],
    ['empty nested fragments', `{ files { nodes { ...f0 } } } ${nested(24)}`],
  ])('is refused: %s', (_name, text) => expect(refused(text)).toBe(true))

  it('counts the page size that a variable holds', () => {
    const text = 'query ($n: Int) { files(first: $n) { nodes { versions(first: 100) { nodes { id number } } } } }'
    expect(refused(text, { n: 2 })).toBe(false)
    expect(refused(text, { n: 100 })).toBe(true)
  })

  it('counts the page size that is the default of a variable', () => {
    const text = (rows: number) =>
      `query ($n: Int = ${rows}) { files(first: $n) { nodes { versions(first: $n) { nodes { id number } } } } }`
    expect(refused(text(10))).toBe(false)
    expect(refused(text(100))).toBe(true)
    expect(refused(text(100), { n: 10 })).toBe(false)
  })

  it('counts the ids that are the default of a variable', () => {
    const text = `query ($ids: [ID!]! = [${times(100, () => '"x"')}]) {
      nodes(ids: $ids) { ... on File { versions(first: 100) { nodes { id number } } } } }`
    expect(refused(text)).toBe(true)
  })

  it('stops measuring at the first limit, whatever fragments would expand to', () => {
    const started = performance.now()
    expect(refused(`{ files { nodes { ...f0 } } } ${nested(60)}`)).toBe(true)
    expect(performance.now() - started).toBeLessThan(1000)
  })

  function deep(levels: number): string {
    return `{ __schema { types ${'{ ofType '.repeat(levels)} { name } ${'}'.repeat(levels)} } }`
  }
})

describe('a refusal before validation', () => {
  const attacks: [string, string][] = [
    ['repeated fields', `{ ${times(350, () => 'viewer { role }')} }`],
    ['repeats inside repeats', `{ ${times(30, () => `files { ${times(30, () => 'nodes { id }')} }`)} }`],
    ['many introspections', `{ ${times(30, (at) => `a${at}: __schema { types { name fields { name } } }`)} }`],
    ['repeated directives', `{ __typename ${times(700, () => '@skip(if: true)')} }`],
    ['nested lists', `{ files(filter: ${'['.repeat(1000)}${']'.repeat(1000)}) { nodes { id } } }`],
    ['many operations', times(300, (at) => `query q${at} { __typename }`)],
    ['many unused fragments', `{ __typename } ${times(300, (at) => `fragment f${at} on Query { __typename }`)}`],
    [
      'fragments that double',
      `{ ...f0 } ${times(30, (at) => `fragment f${at} on Query { ...f${at + 1} ...f${at + 1} }`)} fragment f30 on Query { __typename }`,
    ],
    ['inline fragments', `{ ${times(900, () => '... {')} __typename ${'}'.repeat(900)} }`],
  ]

  it.each(attacks)('takes less than 5 ms of CPU for %s', (_name, text) => {
    const bounds = [operationLimits, anonymousLimits]
    for (const limits of bounds) expect(measure(text, limits).asksTooMuch).toBe(true)
    const spent = Array.from({ length: 9 }, () => {
      const before = process.cpuUsage()
      measure(text, anonymousLimits)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    })
    expect(Math.min(...spent)).toBeLessThan(5)
  })

  it('allows every common introspection query without credentials', () => {
    const options = { schemaDescription: true, specifiedByUrl: true, inputValueDeprecation: true, oneOf: true }
    for (const text of [getIntrospectionQuery(), getIntrospectionQuery({ ...options, directiveIsRepeatable: true })]) {
      expect(measure(text, anonymousLimits)).toEqual({ asksTooMuch: false, readsData: false })
    }
  })

  it('leaves a fragment that contains itself to validation', () => {
    const text = '{ ...a } fragment a on Query { __typename ...b } fragment b on Query { ...a }'
    expect(measure(text).asksTooMuch).toBe(false)
  })

  it('reports which operations need a caller', () => {
    expect(measure('{ __typename ...a } fragment a on Query { viewer { role } }').readsData).toBe(true)
    expect(measure('{ __typename __type(name: "File") { name } }').readsData).toBe(false)
  })
})
