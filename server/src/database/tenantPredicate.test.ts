import { describe, expect, it } from 'vitest'
import { assertNoTenantTable, assertTenantPredicate, TenantPredicateMissing } from './tenantPredicate.ts'

const tenant = '01936b1e-0000-7000-8000-000000000001'
const other = '01936b1e-0000-7000-8000-000000000002'

const accepts =
  (text: string, params: unknown[] = [tenant]) =>
  () =>
    assertTenantPredicate(text, params, tenant)

describe('the tenant predicate', () => {
  it.each([
    ['select 1 from "files" where "files"."tenant_id" = $1 for update of "files" skip locked'],
    ['select "id" from "files" where "files"."tenant_id" = $1'],
    ['select f.id from files f where f.tenant_id = $1 and f.id = $2'],
    ['select f.id from files as f where $1 = f.tenant_id'],
    [
      'select 1 from "files" inner join "blobs" on ("blobs"."tenant_id" = "files"."tenant_id" and true) where "files"."tenant_id" = $1',
    ],
    ['update "files" set "current_version" = 2 where "files"."tenant_id" = $1 returning "id"'],
    ['delete from "blobs" where ("blobs"."id" = $2 and "blobs"."tenant_id" = $1)'],
    ['insert into "files" ("tenant_id", "id") values ($1, $2), ($1, coalesce($3, now()))'],
    ['with l as (select * from files f where f.tenant_id = $1) select l.id from l'],
    ['select 1 from "tenants" where "tenants"."id" = $1'],
    ["select 'files' as label"],
  ])('lets through a statement that names its tenant for every table: %s', (text) => {
    expect(accepts(text, [tenant, 'x', 'y'])).not.toThrow()
  })

  it.each([
    ['select "id" from "files"'],
    ['select "id" from "files" where "files"."id" = $1'],
    ['select "id" from "files" where tenant_id = $1'],
    ['select 1 from files f, blobs b where f.tenant_id = $1'],
    ['select 1 from "files" left join "blobs" on "blobs"."id" = "files"."id" where "files"."tenant_id" = $1'],
    ['select 1 from "files" inner join "blobs" on "blobs"."tenant_id" = "files"."tenant_id"'],
    ['update "files" set "tenant_id" = $1'],
    ['update "files" set "current_version" = 2'],
    ['delete from "file_versions"'],
    ['insert into "files" ("id") values ($1)'],
    ['insert into "files" ("id", "tenant_id") values ($2, default)'],
    ['insert into "files" ("tenant_id", "id") values ($1, $2), ($2, $2)'],
    ['insert into "files" ("tenant_id") select $1'],
    ['select 1 from public.files f where f.tenant_id = $1'],
    ['select 1 from files f where f.tenant_id = $1 -- and more'],
    ['select 1 from files f where f.tenant_id = $1; select 1 from files'],
    ['select 1 from files where files.tenant_id = $1 and files.id in (select files.id from files)'],
    ['set app.tenant_id = $1'],
    ['select set_tenant($1)'],
    ['commit'],
    ['select 1 from "tenants"'],
    ['truncate "files"'],
  ])('refuses a statement that omits it anywhere: %s', (text) => {
    expect(accepts(text, [tenant, other])).toThrow(TenantPredicateMissing)
  })

  it('refuses a statement that names another tenant', () => {
    expect(accepts('select 1 from files f where f.tenant_id = $1', [other])).toThrow(TenantPredicateMissing)
    expect(accepts('insert into files (tenant_id) values ($1), ($2)', [tenant, other])).toThrow(TenantPredicateMissing)
  })

  it('refuses tenant tables in look-ups', () => {
    expect(() => assertNoTenantTable('select 1 from "users"')).not.toThrow()
    expect(() => assertNoTenantTable('select 1 from "files" where "files"."tenant_id" = $1')).toThrow(
      TenantPredicateMissing,
    )
    expect(() => assertNoTenantTable('select 1 from tenants')).toThrow(TenantPredicateMissing)
  })
})
