import { getNamedType, graphql, type GraphQLField, type GraphQLObjectType, isObjectType, Kind, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTenantDatabase, type TenantDatabase } from '../src/database/tenantDatabase.ts'
import type { Principal } from '../src/domain/context.ts'
import { isPlain, isRelational } from '../src/graphql/engine/compiledQueries.ts'
import { contextFor } from '../src/graphql/requestContext.ts'
import { schema } from '../src/graphql/schema.ts'
import { type Data, startTestService, type TestService, type TestTenant } from './testService.ts'

let service: TestService
let tenant: TestTenant
let database: TenantDatabase
let sent: string[] = []

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  const onStatement = (text: string) => void sent.push(text)
  database = openTenantDatabase({ url: service.testDatabase.url, size: 1, applicationName: 'test', onStatement })
})

afterAll(async () => {
  await database.close()
  await service.close()
})

/** What a query answers, and its statements without those that open and end the transaction. */
async function ask(who: Principal, source: string, variableValues: Data = {}) {
  sent = []
  const contextValue = contextFor({ ...service.contextOf(who), database })
  const { data, errors } = await graphql({ schema, source, contextValue, variableValues })
  for (const { originalError } of errors ?? []) throw originalError ?? new Error('Refused')
  const statements = sent.filter((text) => !/^(begin|commit|select \S*set_tenant)/.test(text))
  return { data: data as Data, statements }
}

const newKey = async (name: string) => {
  const source = `mutation ($name: String!) { createApiKey(input: { name: $name, role: VIEWER }) {
    ... on CreateApiKeySuccess { apiKey { id name createdBy { name } } } } }`
  const { data, statements } = await ask(tenant.owner, source, { name })
  return { key: data.createApiKey.apiKey, statements }
}

describe('the statement of', () => {
  it('a list reads only the requested columns, and joins outside the limit', async () => {
    const { statements } = await ask(tenant.owner, '{ apiKeys { nodes { name createdBy { name } } } }')
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."created_at" as "createdAt", "d0"."id" as "id", "d0"."name" as "name", "d0"."tenant_id" as "tenantId", "creator"."r" as "creator" from (select "d0".* from "api_keys" as "d0" where "d0"."tenant_id" = $1 order by "d0"."created_at" desc, "d0"."id" desc limit $2) as "d0" left join lateral(select row_to_json("t".*) "r" from (select "d1"."id" as "id", "d1"."kind" as "kind", "d1"."name" as "name", "d1"."email" as "email", "d1"."tenant_id" as "tenantId" from "principals" as "d1" where (("d0"."tenant_id" = "d1"."tenant_id") and ("d0"."created_by" = "d1"."id")) limit $3) as "t") as "creator" on true order by "d0"."created_at" desc, "d0"."id" desc",
      ]
    `)
  })

  it('a later page compares rows', async () => {
    await newKey('one')
    const { data } = await ask(tenant.owner, '{ apiKeys { pageInfo { endCursor } } }')
    const { statements } = await ask(
      tenant.owner,
      'query ($after: String) { apiKeys(first: 1, after: $after) { pageInfo { hasNextPage } } }',
      { after: data.apiKeys.pageInfo.endCursor },
    )
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."created_at" as "createdAt", "d0"."id" as "id" from "api_keys" as "d0" where (("d0"."tenant_id" = $1) and (("d0"."created_at", "d0"."id") < ($2::timestamptz, $3::uuid))) order by "d0"."created_at" desc, "d0"."id" desc limit $4",
      ]
    `)
  })

  it('a filter has a state as a literal, and another value as a parameter', async () => {
    const filter = '{ kind: VERIFY, state: DONE }'
    const { statements } = await ask(tenant.admin, `{ cleanupRuns(filter: ${filter}) { nodes { held { what } } } }`)
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."created_at" as "createdAt", "d0"."id" as "id", "d0"."held" as "held", "d0"."tenant_id" as "tenantId" from "cleanup_runs" as "d0" where (("d0"."tenant_id" = $1) and ((("d0"."kind" = $2) and ("d0"."state" = 'DONE')))) order by "d0"."created_at" desc, "d0"."id" desc limit $3",
      ]
    `)
  })

  it('several nodes of a type is one', async () => {
    const ids = [(await newKey('two')).key.id, (await newKey('three')).key.id]
    const source = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on ApiKey { name createdBy { name } } } }'
    const { data, statements } = await ask(tenant.owner, source, { ids })
    expect(data.nodes).toMatchObject([{ name: 'two' }, { name: 'three', createdBy: { name: tenant.owner.name } }])
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."id" as "id", "d0"."name" as "name", "d0"."tenant_id" as "tenantId", "creator"."r" as "creator" from "api_keys" as "d0" left join lateral(select row_to_json("t".*) "r" from (select "d1"."id" as "id", "d1"."kind" as "kind", "d1"."name" as "name", "d1"."email" as "email", "d1"."tenant_id" as "tenantId" from "principals" as "d1" where (("d0"."tenant_id" = "d1"."tenant_id") and ("d0"."created_by" = "d1"."id")) limit $1) as "t") as "creator" on true where (("d0"."tenant_id" = $2) and ("d0"."id" in ($3, $4))) limit $5",
      ]
    `)
  })

  it('the usage of a tenant joins the quota', async () => {
    const { statements } = await ask(tenant.viewer, '{ usage { storedBytes quotaBytes } }')
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."stored_bytes" as "storedBytes", "d0"."tenant_id" as "tenantId", "tenant"."r" as "tenant" from "tenant_usage" as "d0" left join lateral(select row_to_json("t".*) "r" from (select "d1"."quota_bytes"::text as "quotaBytes", "d1"."id" as "id" from "tenants" as "d1" where "d0"."tenant_id" = "d1"."id" limit $1) as "t") as "tenant" on true where "d0"."tenant_id" = $2 limit $3",
      ]
    `)
  })

  it('a list of attachments reads the creator of each, for any selection', async () => {
    const owner = 'ownerType: "invoice", ownerId: "1"'
    const { statements } = await ask(tenant.viewer, `{ attachmentsOf(${owner}) { nodes { slot } } }`)
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."id" as "id", "d0"."file_id" as "fileId", "d0"."owner_type" as "ownerType", "d0"."owner_id" as "ownerId", "d0"."slot" as "slot", "d0"."created_at" as "createdAt", "d0"."tenant_id" as "tenantId", "creator"."r" as "creator" from (select "d0".* from "attachments" as "d0" where (("d0"."tenant_id" = $1) and ((("d0"."owner_type" = $2) and ("d0"."owner_id" = $3)))) order by "d0"."id" asc limit $4) as "d0" left join lateral(select row_to_json("t".*) "r" from (select "d1"."id" as "id", "d1"."kind" as "kind", "d1"."name" as "name", "d1"."email" as "email", "d1"."tenant_id" as "tenantId" from "principals" as "d1" where (("d0"."tenant_id" = "d1"."tenant_id") and ("d0"."created_by" = "d1"."id")) limit $5) as "t") as "creator" on true order by "d0"."id" asc",
      ]
    `)
  })

  it('a list of expired intents finds its page by two indexes', async () => {
    const filter = 'filter: { state: EXPIRED }'
    const { statements } = await ask(tenant.member, `{ uploadIntents(${filter}) { pageInfo { endCursor } } }`)
    expect(statements).toMatchInlineSnapshot(`
      [
        "select "d0"."created_at" as "createdAt", "d0"."id" as "id" from "uploads" as "d0" where (("d0"."tenant_id" = $1) and ((("d0"."created_by" = $2) and ("d0"."id" = any(array(select "id" from ((select "uploads"."id", "uploads"."created_at" from "uploads" where (((("uploads"."tenant_id" = $3) and ("uploads"."created_by" = $4))) and ("uploads"."state" = 'EXPIRED')) order by "uploads"."created_at" desc, "uploads"."id" desc limit $5) union all (select "uploads"."id", "uploads"."created_at" from "uploads" where (((("uploads"."tenant_id" = $6) and ("uploads"."created_by" = $7))) and ((("uploads"."state" = 'PENDING') and ("uploads"."expires_at" <= $8)))) order by "uploads"."expires_at")) as "page"
          order by "created_at" desc, "id" desc limit $9)))))) order by "d0"."created_at" desc, "d0"."id" desc limit $10",
      ]
    `)
  })

  it('the result of a mutation reads the requested columns of the changed row, once', async () => {
    const { key, statements } = await newKey('four')
    expect(key).toMatchObject({ name: 'four', createdBy: { name: tenant.owner.name } })
    expect(statements.filter((text) => text.startsWith('select "d0"'))).toMatchInlineSnapshot(`
      [
        "select "d0"."id" as "id", "d0"."name" as "name", "d0"."tenant_id" as "tenantId", "creator"."r" as "creator" from (select "d0".* from "api_keys" as "d0" where (("d0"."tenant_id" = $1) and (("d0"."tenant_id", "d0"."id") in (($2, $3))))) as "d0" left join lateral(select row_to_json("t".*) "r" from (select "d1"."id" as "id", "d1"."kind" as "kind", "d1"."name" as "name", "d1"."email" as "email", "d1"."tenant_id" as "tenantId" from "principals" as "d1" where (("d0"."tenant_id" = "d1"."tenant_id") and ("d0"."created_by" = "d1"."id")) limit $4) as "t") as "creator" on true",
      ]
    `)
  })
})

const objectTypes = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
)
const fieldsOf = (type: GraphQLObjectType): GraphQLField<unknown, unknown>[] => Object.values(type.getFields())

/** All fields that a query can reach below a field, with the shortest way to each. */
function reach(field: GraphQLField<unknown, unknown>): { path: string[]; field: GraphQLField<unknown, unknown> }[] {
  const found = [{ path: [field.name], field }]
  const seen = new Set<string>()
  for (const each of found) {
    const type = getNamedType(each.field.type)
    if (!isObjectType(type) || seen.has(type.name)) continue
    seen.add(type.name)
    found.push(...fieldsOf(type).map((below) => ({ path: [...each.path, below.name], field: below })))
  }
  return found
}

const rootFields = schema.getQueryType()?.getFields() ?? {}

/** `a { b { c } }`, with whatever arguments are required; nothing is run. */
const documentOf = (path: readonly string[], field: GraphQLField<unknown, unknown>) =>
  `{ ${path.join(' { ')} ${isObjectType(getNamedType(field.type)) ? '{ __typename }' : ''} ${'}'.repeat(path.length)}`

function isCompiled(source: string): boolean {
  const document = parse(source)
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  if (!operation) throw new Error('No operation')
  return isPlain(schema, document, operation)
}

describe('the border between hot and relational types', () => {
  it.each(['files', 'auditLog', 'file', 'principals'])('has no selection on any field that `%s` reaches', (name) => {
    const fields = reach(rootFields[name]!)
    expect(fields.length).toBeGreaterThan(5)
    expect(
      fields.filter(({ field }) => field.extensions['pothosDrizzleSelect']).map(({ path }) => path.join('.')),
    ).toEqual([])
  })

  it('is as listed', () => {
    const cold = objectTypes.filter((type) => fieldsOf(type).some(isRelational)).map(({ name }) => name)
    expect(cold).toMatchInlineSnapshot(`
      [
        "ApiKey",
        "CleanupRun",
        "Query",
        "Tenant",
        "TenantPolicy",
        "Usage",
        "Viewer",
      ]
    `)
    const relationalRoots = Object.values(rootFields).filter(isRelational)
    expect(relationalRoots.map(({ name }) => name)).toMatchInlineSnapshot(`
      [
        "apiKeys",
        "attachmentsOf",
        "cleanupRuns",
        "node",
        "nodes",
        "tenant",
        "uploadIntent",
        "uploadIntents",
        "usage",
      ]
    `)
  })

  it('compiles no document with a relational field, at any depth or beside other fields', () => {
    const relational = Object.values(rootFields)
      .flatMap(reach)
      .filter(({ field }) => isRelational(field))
    expect(relational.length).toBeGreaterThan(20)
    for (const { path, field } of relational) {
      const source = documentOf(path, field).replace('{ __typename }', '{ id }')
      expect([source, isCompiled(source)]).toEqual([source, false])
    }
    expect(isCompiled('{ files { nodes { id uploadedBy { name } version { number } } } }')).toBe(true)
    expect(isCompiled('{ files { nodes { id } } apiKeys { pageInfo { endCursor } } }')).toBe(false)
  })

  it('is enforced by the reader: a resolver without the mark of a relational field reads nothing', async () => {
    const field = rootFields['apiKeys']!
    const { extensions } = field
    field.extensions = {}
    try {
      await expect(ask(tenant.owner, '{ apiKeys { nodes { id } } }')).rejects.toThrow('Query.apiKeys is not relational')
    } finally {
      field.extensions = extensions
    }
  })
})

/** Every field of a type that has no argument, two levels of objects deep. */
function everything(type: GraphQLObjectType, depth = 2): string {
  const fields = fieldsOf(type).filter(({ args }) => args.every((argument) => argument.defaultValue !== undefined))
  return fields
    .map((field) => {
      const below = getNamedType(field.type)
      if (!isObjectType(below)) return field.name
      return depth > 0 && !below.name.endsWith('Connection') ? `${field.name} { ${everything(below, depth - 1)} }` : ''
    })
    .join(' ')
}

it('never reads the hash of a secret, for any selection', async () => {
  await newKey('five')
  const apiKey = schema.getType('ApiKey') as GraphQLObjectType
  const { data, statements } = await ask(tenant.owner, `{ apiKeys { nodes { ${everything(apiKey)} } } }`)
  expect(data.apiKeys.nodes[0]).toMatchObject({ name: 'five', role: 'VIEWER', createdBy: { kind: 'USER' } })
  expect(statements.join()).not.toContain('secret_hash')
})
