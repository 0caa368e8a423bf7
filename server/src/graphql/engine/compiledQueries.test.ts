import fc from 'fast-check'
import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  isCompositeType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../../../test/testService.ts'
import type { Principal } from '../../domain/context.ts'
import { contextFor } from '../requestContext.ts'
import { schema } from '../schema.ts'
import { createApollo } from './createApollo.ts'

let service: TestService
let tenant: TestTenant
let fileId: string

const log: string[] = []
const tell = (facts: object) => void log.push(JSON.stringify(facts))
const logger = { error: tell, warn: tell, info: () => undefined, debug: () => undefined }
const apollo = createApollo({ introspection: true, logger })

beforeAll(async () => {
  await apollo.start()
  service = await startTestService()
  tenant = await service.createTenant()
  for (const name of ['one.txt', 'two.txt', 'three "3" é.txt', 'four.txt']) {
    const { id } = await uploadFile(service, tenant.member, { name })
    fileId = id
  }
  const change = (text: string) => service.ask(tenant.admin, `mutation { ${text} { __typename } }`)
  await change(`attachFile(input: { fileId: "${fileId}", ownerType: "claim", ownerId: "1" })`)
  await change(`holdFile(input: { id: "${fileId}", reason: "A case" })`)
})

afterAll(async () => {
  await service.close()
  await apollo.stop()
})

/** Asked until it is compiled: the first answer is the interpreter's, the last one may be the compiler's. */
async function askThrice(who: Principal | null, query: string, variables: Record<string, unknown>) {
  const answers: { text: string; isCompiled: boolean }[] = []
  for (let times = 0; times < 3; times += 1) {
    log.length = 0
    const contextValue = contextFor(who && service.contextOf(who))
    const { body, http } = await apollo.executeOperation({ query, variables }, { contextValue })
    if (body.kind !== 'single') throw new Error('Answers come in one piece')
    const { data, errors } = body.singleResult
    // Both run fields at once, so the order of errors has no meaning.
    const sorted = errors?.toSorted((a, b) => JSON.stringify(a.path).localeCompare(JSON.stringify(b.path)))
    // The interpreter's objects have no prototype.
    const isCompiled = data !== null && data !== undefined && Object.getPrototypeOf(data) !== null
    answers.push({ text: steady(JSON.stringify({ status: http.status, data, errors: sorted, log })), isCompiled })
  }
  return answers
}

/** Without what depends on the second in which an address was signed. */
const steady = (text: string) =>
  text.replaceAll(/X-Amz-(Date=\w+|Signature=\w+)/g, '').replaceAll(/"time":\d+|"stack":"[^"]*"/g, '')

/** True when the last answer was the compiler's. */
async function expectSame(who: Principal | null, query: string, variables: Record<string, unknown> = {}) {
  const [interpreted, , last] = await askThrice(who, query, variables)
  expect(last?.text).toBe(interpreted?.text)
  return last?.isCompiled
}

const listed = `query List($first: Int, $after: String, $filter: FileFilter, $seconds: Int) {
  files(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id name byteSize uploadedAt uploadedBy { id name } hold { heldBy { name } reason }
      version { number createdBy { name } } attachments { nodes { ownerType file { name } } }
      downloadUrl(expiresInSeconds: $seconds) inline: downloadUrl(disposition: INLINE) } }
    pageInfo { hasNextPage endCursor }
  }
}`

describe('a repeated query', () => {
  it('is compiled, with the same answer', async () => {
    expect(await expectSame(tenant.viewer, listed, { first: 2 })).toBe(true)
    expect(await expectSame(tenant.admin, '{ ...a } fragment a on Query { viewer { tenants { name } } }')).toBe(true)
  })

  it.each([
    ['an introspection', '{ __schema { types { name } } }'],
    ['the name of a type', '{ files { nodes { __typename } } }'],
    ['a directive', '{ files @skip(if: false) { nodes { name } } }'],
    ['a relational query', '{ viewer { tenant { name } } }'],
    ['an abstract type', '{ node(id: "x") { id } }'],
    ['a name that JavaScript gives a meaning', '{ constructor: files { nodes { __proto__: name } } }'],
    ['one of several operations', 'query a { viewer { principal { id } } }'],
  ])('is left to the interpreter for %s', async (name, query) => {
    const text = name.startsWith('one') ? `${query} query b { viewer { principal { name } } }` : query
    expect(await expectSame(tenant.viewer, text)).not.toBe(true)
  })

  it('refuses in the same way', async () => {
    for (const variables of [
      { first: 1000 },
      { first: '2' },
      { first: 2.5 },
      { first: 2 ** 31 },
      { first: [1] },
      { after: 7 },
      { filter: { state: 'NOWHERE' } },
      { filter: { nothing: 1 } },
      { filter: 'READY' },
      { filter: { uploadedById: 'nobody' } },
      { seconds: -1 },
      { seconds: 10 ** 6 },
    ])
      await expectSame(tenant.viewer, listed, variables)
    await expectSame(null, listed, { first: 2 })
    await expectSame(tenant.viewer, '{ apiKeys { nodes { name } } viewer { principal { name } } }')
    await expectSame(tenant.viewer, 'query ($after: String!) { auditLog(after: $after) { nodes { id } } }')
  })

  it('masks and logs a defect in the same way, and reports an outage of the database', async () => {
    for (const failure of [new Error('secret'), Object.assign(new Error('gone'), { name: 'DatabaseUnavailable' })]) {
      const { database } = service
      const { readOnce } = database
      Object.assign(database, { readOnce: () => Promise.reject(failure) })
      await expectSame(tenant.viewer, `{ files { nodes { name } } viewer { tenant { name } } } # ${failure.message}`)
      Object.assign(database, { readOnce })
    }
  })

  it('has the same answer for any query', { timeout: 120_000 }, async () => {
    let compiled = 0
    const property = fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), fc.nat(2), async (choices, who) => {
      const query = new Writer(choices).write()
      const callers = [tenant.viewer, tenant.admin, tenant.owner]
      if (await expectSame(callers[who] ?? null, query)) compiled += 1
    })
    // Four of five of these queries touch a relational field, which leaves them to the interpreter.
    await fc.assert(property, { numRuns: 400, seed: 20_261_121 })
    expect(compiled).toBeGreaterThan(60)
  })
})

/** Writes a query by the schema, as its choices lead it. */
class Writer {
  readonly #choices: Iterator<number>
  #fields = 0

  constructor(choices: Iterable<number>) {
    this.#choices = choices[Symbol.iterator]()
  }

  write(): string {
    const query = schema.getQueryType()
    if (!query) throw new Error('There is no query type')
    return this.#selection(query, 0)
  }

  #pick = (below: number): number => (this.#choices.next().value ?? 0) % below

  #selection(type: GraphQLNamedType, depth: number): string {
    if (!isObjectType(type)) return '{ __typename }'
    const fields = Object.values(type.getFields())
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)))
    const wanted = Array.from({ length: 1 + this.#pick(3) }, () => {
      const from = depth > 5 || this.#fields > 25 ? leaves : fields
      return from[this.#pick(from.length || 1)]
    })
    const written = wanted.flatMap((field) => (field ? [this.#field(field, depth)] : []))
    return `{ ${written.join(' ') || '__typename'} }`
  }

  /** Under a name of its own, because the same field with other arguments would not merge. */
  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    this.#fields += 1
    const type = getNamedType(field.type)
    const args = field.args.filter((arg) => isRequiredArgument(arg) || this.#pick(4) === 0)
    const given = args.length > 0 ? `(${args.map((arg) => `${arg.name}: ${this.#value(arg)}`).join(', ')})` : ''
    return `f${this.#fields}: ${field.name}${given} ${isCompositeType(type) ? this.#selection(type, depth + 1) : ''}`
  }

  #value({ name, type }: GraphQLArgument): string {
    if (name === 'first' || name === 'last') return String(this.#pick(4))
    if (name === 'id') return JSON.stringify(fileId)
    if (name === 'ids') return JSON.stringify([fileId])
    const written: Record<string, string> = {
      Int: '60',
      String: '"claim"',
      ID: JSON.stringify(fileId),
      Boolean: 'true',
    }
    return written[getNamedType(type).name] ?? 'null'
  }
}
