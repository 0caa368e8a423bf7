import fc from 'fast-check'
import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApollo } from '../src/graphql/engine/createApollo.ts'
import { contextFor } from '../src/graphql/requestContext.ts'
import { schema } from '../src/graphql/schema.ts'
import { askForIntent, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant
/** Ids that exist, of every type that exists, and cursors. */
const ids: string[] = []

const defects: string[] = []
const tell = (facts: object, message?: string) => void defects.push(JSON.stringify({ message, ...facts }))
const logger = { error: tell, warn: () => undefined, info: () => undefined, debug: () => undefined }
const apollo = createApollo({ introspection: true, logger })

beforeAll(async () => {
  await apollo.start()
  service = await startTestService()
  tenant = await service.createTenant()
  for (const name of ['one.txt', 'two.txt']) ids.push((await uploadFile(service, tenant.member, { name })).id)
  ids.push((await askForIntent(service, tenant.member)).uploadIntent.id)
  const { data } = await service.ask(
    tenant.owner,
    '{ viewer { principal { id } tenant { id } } files { pageInfo { endCursor } } auditLog { nodes { id } pageInfo { endCursor } } }',
  )
  ids.push(data.viewer.principal.id, data.viewer.tenant.id, data.files.pageInfo.endCursor)
  ids.push(data.auditLog.nodes[0].id, data.auditLog.pageInfo.endCursor)
})

afterAll(async () => {
  await service.close()
  await apollo.stop()
})

type Field = GraphQLField<unknown, unknown>

interface Operation {
  readonly name: string
  readonly text: string
  readonly variables: readonly { readonly name: string; readonly type: GraphQLInputType }[]
}

/** Every root field with every argument as a variable, and the fields with arguments below it. */
function operationOf(kind: 'query' | 'mutation', field: Field): Operation {
  const variables: { name: string; type: GraphQLInputType }[] = []
  const call = (of: Field): string => {
    const given = of.args.map(({ name, type }) => {
      variables.push({ name: `v${variables.length}`, type })
      return `${name}: $v${variables.length - 1}`
    })
    return `${of.name}${given.length > 0 ? `(${given.join(', ')})` : ''}`
  }
  const written = `${call(field)} ${selectionOf(field.type, call, 0)}`
  const declared = variables.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ')
  return { name: field.name, text: `${kind}${declared && `(${declared})`} { ${written} }`, variables }
}

function selectionOf(type: GraphQLOutputType, call: (field: Field) => string, depth: number): string {
  const named = getNamedType(type)
  if (isLeafType(named)) return ''
  if (isAbstractType(named)) {
    const of = schema.getPossibleTypes(named).filter(({ name }) => /Success$|^File$|Error$/.test(name))
    const parts = of.map((one) => `... on ${one.name} ${selectionOf(one, aliased(call, one.name), depth + 1)}`)
    return `{ __typename ${parts.join(' ')} }`
  }
  const wanted = Object.values(named.getFields()).filter((field) => {
    const isLeaf = isLeafType(getNamedType(field.type))
    return isLeaf || (depth < 3 && /^(nodes|file|downloadUrl|versions|pageInfo)$/.test(field.name))
  })
  const fields = wanted.map((field) => `${call(field)} ${selectionOf(field.type, call, depth + 1)}`)
  return `{ __typename ${fields.join(' ')} }`
}

/** Members of a union may have fields of one name and other arguments, which do not merge. */
const aliased = (call: (field: Field) => string, prefix: string) => (field: Field) =>
  `${prefix}_${field.name}: ${call(field)}`

const operations = (['query', 'mutation'] as const).flatMap((kind) => {
  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType()
  return Object.values(root?.getFields() ?? {}).map((field) => operationOf(kind, field))
})

const strings = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a\u0000b',
    '\ud800',
    '\udc00x',
    '\u202egnp.exe',
    '..',
    'null',
    'e\u0301'.repeat(200),
    '😀'.repeat(300),
  ),
  fc.constantFrom('%', '_', '\\', "'; --", '{"a":1}', 'image/*', '*/*', 'text/plain;charset=\u0000', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('x'.repeat(50_000)),
)
const numbers = fc.constantFrom(
  0,
  -0,
  -1,
  1,
  100,
  101,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  1e308,
  -1e308,
  0.5,
  1e-300,
)
const moments = fc.constantFrom(
  '2026-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:60Z',
  '1900-01-01T00:00:00+99:99',
  '2026-01-01',
)
const sizes = fc.constantFrom(
  0,
  -1,
  1,
  '1',
  '007',
  '1e3',
  String(2n ** 63n),
  String(2n ** 64n),
  '9'.repeat(400),
  2 ** 60,
)

/** A global id of every type, with a right or wrong key inside. */
const foreignIds = fc
  .tuple(
    fc.constantFrom('File', 'UploadIntent', 'Principal', 'Tenant', 'ApiKey', 'CleanupRun', 'AuditEntry', 'Nothing', ''),
    fc.constantFrom(
      '',
      '0',
      'x',
      '01a21a8e-de63-7594-a4d4-b33850bcb4cd',
      '00000000-0000-0000-0000-000000000000',
      '\u0000',
      '1:2',
    ),
  )
  .map(([type, key]) => Buffer.from(`${type}:${key}`).toString('base64url'))

const anything = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  strings,
  numbers,
  moments,
  fc.boolean(),
  fc.constantFrom([], {}, [[]], [null], [[[[[[[[[]]]]]]]]], { id: null }, { __proto__: null }, [{}]),
)

/** Mostly a value that is accepted, sometimes one of the type at or over a bound, rarely one of any other type. */
function valueFor(type: GraphQLInputType): fc.Arbitrary<unknown> {
  const nullable: GraphQLInputType = getNullableType(type)
  const parts = isListType(nullable) || isInputObjectType(nullable) ? partsFor(nullable) : leafFor(nullable)
  const absent = fc.constantFrom(null, undefined)
  return fc.oneof(
    { weight: 24, arbitrary: parts },
    { weight: 1, arbitrary: anything },
    { weight: isNonNullType(type) ? 1 : 8, arbitrary: absent },
  )
}

function partsFor(type: GraphQLInputType): fc.Arbitrary<unknown> {
  if (isListType(type)) {
    const item = valueFor(type.ofType)
    const few = { weight: 9, arbitrary: fc.array(item, { maxLength: 3 }) }
    return fc.oneof(few, { weight: 1, arbitrary: fc.array(item, { minLength: 101, maxLength: 120 }) })
  }
  const fields = isInputObjectType(type) ? Object.values(type.getFields()) : []
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, valueFor(field.type)])))
}

function leafFor(type: GraphQLInputType): fc.Arbitrary<unknown> {
  const { name } = getNamedType(type)
  const values = isEnumType(type) ? type.getValues().map((value) => value.name) : []
  const [usual, unusual] = isEnumType(type)
    ? [fc.constantFrom(...values), fc.constantFrom('', values[0]?.toLowerCase(), 'JUNK')]
    : (leaves()[name] ?? [anything, anything])
  return fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: unusual })
}

const leaves = (): Record<string, readonly [usual: fc.Arbitrary<unknown>, unusual: fc.Arbitrary<unknown>]> => ({
  ID: [fc.constantFrom(...ids), fc.oneof(foreignIds, strings)],
  String: [fc.constantFrom('text/plain', 'note.txt', 'claim', ...ids), strings],
  Int: [fc.integer({ min: 1, max: 100 }), numbers],
  DateTime: [fc.constantFrom('2026-01-01T00:00:00Z', '2999-01-01T00:00:00Z'), moments],
  ByteSize: [fc.integer({ min: 0, max: 10_000 }), sizes],
  Boolean: [fc.boolean(), fc.constantFrom('true', 1)],
})

const expected = new Set(['BAD_USER_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'GRAPHQL_VALIDATION_FAILED'])

async function send(query: string, variables: Record<string, unknown>, isOwner: boolean) {
  const contextValue = contextFor(service.contextOf(isOwner ? tenant.owner : tenant.viewer))
  // What a client sends passes JSON once.
  const sent = JSON.parse(JSON.stringify(variables)) as Record<string, unknown>
  const { body, http } = await apollo.executeOperation({ query, variables: sent }, { contextValue })
  if (body.kind !== 'single') throw new Error('Answers come in one piece')
  return { status: http.status ?? 200, errors: body.singleResult.errors ?? [], data: body.singleResult.data }
}

it.each(operations)('for any variables, $name answers with data, a refusal or BAD_USER_INPUT', async (operation) => {
  const variables = fc.record(Object.fromEntries(operation.variables.map(({ name, type }) => [name, valueFor(type)])))
  let answered = 0
  const property = fc.asyncProperty(variables, fc.boolean(), async (values, isOwner) => {
    defects.length = 0
    const { status, errors, data } = await send(operation.text, values, isOwner)
    const codes = errors.map(({ extensions }) => String(extensions?.['code']))
    expect(codes.filter((code) => !expected.has(code))).toEqual([])
    expect(codes).not.toContain('GRAPHQL_VALIDATION_FAILED')
    expect(status).toBeLessThan(500)
    expect(defects).toEqual([])
    if (data?.[operation.name]) answered += 1
  })
  await fc.assert(property, { numRuns: operation.variables.length === 0 ? 2 : 250, seed: 20_261_127 })
  // Else it was refused before anything of ours ran.
  expect(answered).toBeGreaterThan(0)
})

it('directives accept any variable', async () => {
  const values = fc.oneof(anything, fc.boolean())
  const property = fc.asyncProperty(
    values,
    fc.constantFrom('skip', 'include'),
    fc.boolean(),
    async (b, name, hasDefault) => {
      const text = `query ($b: Boolean${hasDefault ? ' = true' : '!'}) { viewer @${name}(if: $b) { role @${name}(if: $b) } }`
      const { status, errors } = await send(text, { b }, true)
      expect(errors.map(({ extensions }) => extensions?.['code']).filter((code) => code !== 'BAD_USER_INPUT')).toEqual(
        [],
      )
      expect(status).toBeLessThan(500)
    },
  )
  await fc.assert(property, { numRuns: 100, seed: 20_261_127 })
})
