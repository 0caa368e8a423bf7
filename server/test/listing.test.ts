import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import { seedFiles } from './seedFiles.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant
let superuser: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
})

afterAll(async () => {
  await superuser.end()
  await service.close()
})

async function seed(of: TestTenant, count: number): Promise<void> {
  await seedFiles(superuser, of, count)
  await superuser`vacuum analyze`
}

const everything = `id name contentType byteSize sha256 state uploadedAt downloadUrl uploadedBy { id name email } version { id number createdBy { name } }
  versions(first: 3) { nodes { number createdBy { name } } pageInfo { hasNextPage } }`

const listed = async (of: TestTenant, first: number) => {
  service.statements.length = 0
  const { data, errors } = await service.ask(
    of.viewer,
    `{ files(first: ${first}) { nodes { ${everything} } pageInfo { endCursor hasNextPage } } }`,
  )
  expect(errors).toBeUndefined()
  return { files: data.files, statements: [...service.statements] }
}

describe('a page of files', () => {
  it('costs the same statements for 100 rows as for one', async () => {
    const busy = await service.createTenant()
    await seed(busy, 150)
    const one = await listed(busy, 1)
    const hundred = await listed(busy, 100)
    expect(hundred.files.nodes).toHaveLength(100)
    expect(hundred.statements.toSorted()).toEqual(one.statements.toSorted())
    expect(new Set(hundred.files.nodes.map((file: Data) => file.downloadUrl)).size).toBe(100)
    const queries = hundred.statements.filter((text) => !/^(begin|commit|select set_tenant)/.test(text))
    // The page, the current versions, and the versions of each.
    expect(queries).toHaveLength(3)
    expect(queries[0]).toMatchInlineSnapshot(
      `"select "page"."id", "page"."original_file_name", "page"."content_type", "page"."byte_size", "page"."current_version", "page"."uploaded_by", "page"."uploaded_at", "page"."updated_at", "page"."soft_deleted_at", "page"."soft_deleted_by", "page"."attachment_count", "page"."retention", "page"."held_at", "page"."held_by", "page"."hold_reason", "page"."purged_at", "blobs"."quarantined_at", "uploader"."id", "uploader"."kind", "uploader"."name", "uploader"."email", "blobs"."object_key", "blobs"."sha256", "tenants"."trash_days", "tenants"."download_max_seconds" from (select "id", "original_file_name", "content_type", "byte_size", "current_version", "uploaded_by", "uploaded_at", "updated_at", "soft_deleted_at", "soft_deleted_by", "attachment_count", "retention", "held_at", "held_by", "hold_reason", "purged_at" from "files" where (("files"."tenant_id" = $1) and (("files"."soft_deleted_at" is null))) order by "files"."uploaded_at" desc, "files"."id" desc limit $2) "page" inner join "principals" "uploader" on (("uploader"."tenant_id" = $3) and ("uploader"."id" = "page"."uploaded_by")) inner join "tenants" on "tenants"."id" = "uploader"."tenant_id" inner join "file_versions" on (("file_versions"."tenant_id" = "uploader"."tenant_id") and ("file_versions"."file_id" = "page"."id") and ("file_versions"."version" = "page"."current_version")) inner join "blobs" on (("blobs"."tenant_id" = "uploader"."tenant_id") and ("blobs"."id" = "file_versions"."blob_id")) order by "page"."uploaded_at" desc, "page"."id" desc"`,
    )
  })

  it('is found by an index alone, and page 1,000 as fast as page 1', { timeout: 120_000 }, async () => {
    const large = await service.createTenant()
    await seed(large, 100_000)
    await listed(large, 100)
    const text = service.statements.find((statement) => statement.includes('from "files"')) ?? ''
    const deepCursor = Buffer.from(
      JSON.stringify(['files', '2026-01-01T00:00:00.700Z', '00000000-0000-4000-8000-000000000100']),
    ).toString('base64url')
    service.statements.length = 0
    const { data } = await service.ask(
      large.viewer,
      'query ($after: String) { files(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage } } }',
      { after: deepCursor },
    )
    expect(data.files.nodes[0].name).toContain('000000000099')
    const deepText = service.statements.find((statement) => statement.includes('from "files"')) ?? ''
    const first = await explain(large, text, [large.id, 101, large.id])
    const deep = await explain(large, deepText, [
      large.id,
      '2026-01-01T00:00:00.700Z',
      '00000000-0000-4000-8000-000000000100',
      101,
      large.id,
    ])
    for (const plan of [first, deep]) {
      expect(plan.text).toContain('Index Scan Backward using files_live on files')
      // Above the limit there may be one, of the rows of the page.
      expect(plan.text.slice(plan.text.indexOf('Limit'))).not.toContain('Sort')
    }
    expect(deep.buffers).toBeLessThanOrEqual(first.buffers * 1.2)
  })

  it('contains every row once, forwards and backwards, even with equal times', async () => {
    const walked = await service.createTenant()
    await seed(walked, 57)
    await superuser`update files set uploaded_at = date_trunc('second', uploaded_at) where tenant_id = ${walked.id}`
    const walk = async (size: string, cursor: string, more: string, end: string) => {
      const names: string[] = []
      for (let at: string | null = null; ;) {
        const query = `query ($at: String) { files(${size}: 10, ${cursor}: $at) { nodes { name } pageInfo { ${more} ${end} } } }`
        const { data }: { data: Data } = await service.ask(walked.viewer, query, { at })
        const page = data.files.nodes.map((file: Data) => file.name)
        if (size === 'first') names.push(...page)
        else names.unshift(...page)
        if (!data.files.pageInfo[more]) return names
        at = data.files.pageInfo[end]
      }
    }
    const forwards = await walk('first', 'after', 'hasNextPage', 'endCursor')
    expect(new Set(forwards).size).toBe(57)
    expect(await walk('last', 'before', 'hasPreviousPage', 'startCursor')).toEqual(forwards)
  })

  it('counts up to a limit', async () => {
    const counted = await service.createTenant()
    await seed(counted, 10_050)
    const query =
      '{ files(first: 1) { totalCount { value isExact } } images: files(first: 1, filter: { contentTypePrefix: "IMAGE/" }) { totalCount { isExact } } }'
    const { data } = await service.ask(counted.viewer, query)
    expect(data).toEqual({
      files: { totalCount: { value: 10_000, isExact: false } },
      images: { totalCount: { isExact: true } },
    })
  })

  it('is filtered by type and by uploader', async () => {
    await uploadFile(service, tenant.member, { name: 'a.txt' })
    await uploadFile(service, tenant.otherMember, { name: 'b.csv', contentType: 'text/csv', content: 'a,b' })
    await uploadFile(service, tenant.member, { name: 'c.json', contentType: 'application/json', content: '{}' })
    const { data: who } = await service.ask(tenant.member, '{ viewer { principal { id } } }')
    const query = 'query ($filter: FileFilter) { files(filter: $filter, orderBy: OLDEST_FIRST) { nodes { name } } }'
    const names = async (filter: object) =>
      (await service.ask(tenant.viewer, query, { filter })).data.files.nodes.map((file: Data) => file.name)
    expect(await names({})).toEqual(['a.txt', 'b.csv', 'c.json'])
    expect(await names({ contentTypePrefix: 'text/' })).toEqual(['a.txt', 'b.csv'])
    expect(await names({ contentTypePrefix: 'text/', uploadedById: who.viewer.principal.id })).toEqual(['a.txt'])
  })

  it.each(['first: -1', 'first: 1000000000', 'last: 101', 'first: 1, last: 1'])(
    'refuses a size out of range: %s',
    async (size) => {
      const answer = await service.ask(tenant.viewer, `{ files(${size}) { nodes { id } } }`)
      expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
      expect(answer.status).toBe(400)
    },
  )
})

async function explain(
  of: TestTenant,
  text: string,
  params: readonly (string | number)[],
): Promise<{ text: string; buffers: number }> {
  const app = postgres(service.testDatabase.url, {
    max: 1,
    connection: { role: service.testDatabase.appRole, search_path: 'filegraph', ...planSettings },
    onnotice: () => undefined,
  })
  try {
    return await app.begin(async (tx) => {
      await tx`select set_tenant(${of.id})`
      await tx.unsafe(`prepare page as ${text}`)
      const values = params.map((param) => `'${param}'`).join(', ')
      const run = () => tx.unsafe(`explain (analyze, buffers, timing off) execute page(${values})`)
      await run()
      const plan = (await run()).map((row) => row['QUERY PLAN'] as string).join('\n')
      const [, buffers] = /Buffers: shared hit=(\d+)/.exec(plan) ?? []
      return { text: plan, buffers: Number(buffers) }
    })
  } finally {
    await app.end()
  }
}
