import { postgres, product } from './serverPackage.mjs'

/**
 * How many buffers Postgres touches for the product's own statement of a page, in the tenant's transaction and the
 * application's role. The second run counts: the first one reads the catalogue too.
 */
export async function countBuffers({ databaseUrl }, tenant, page) {
  const { appRole } = await product('database/roles.js')
  const { planSettings } = await product('database/connection.js')
  const { text, params } = await statementOf(tenant, page)
  const connection = { role: appRole, search_path: 'filegraph', ...planSettings }
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, connection })
  const values = params.map((param) => `'${param}'`).join(', ')
  try {
    const plans = []
    await sql.unsafe(`prepare page as ${text}`)
    for (let run = 0; run < 2; run += 1) {
      await sql.unsafe('begin read only')
      await sql.unsafe('select set_tenant($1)', [tenant.id])
      const [row] = await sql.unsafe(`explain (analyze, buffers, format json) execute page(${values})`)
      await sql.unsafe('commit')
      plans.push(row['QUERY PLAN'][0].Plan)
    }
    return plans[1]['Shared Hit Blocks'] + plans[1]['Shared Read Blocks']
  } finally {
    await sql.end()
  }
}

/** Asks the product's own function for the page, with a database that only listens. */
async function statementOf(tenant, page) {
  const { listFiles } = await product('domain/files/listFiles.js')
  let heard
  const send = async (text, params) => {
    heard = { text, params }
    return { rows: [] }
  }
  const transaction = { run: (statement, values) => statement.execute(values, tenant.id, send) }
  const ctx = { principal: { tenantId: tenant.id }, database: { readOnce: (_id, work) => work(transaction) } }
  const everything = { trashed: false, contentTypePrefix: null, uploadedById: null }
  await listFiles(ctx, everything, false, page)
  return heard
}
