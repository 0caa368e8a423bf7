import { postgres, product } from '../harness/serverPackage.mjs'

const { planSettings } = await product('database/connection.js')

/**
 * The tenant transaction in its cheapest form: all of it in one write, on a connection that nobody else uses meanwhile.
 * The statement is prepared by the driver and planned once, as the product plans; the role is the product's own, so that
 * row-level security holds.
 */
export function openTenantTransactions(url, { size, role }) {
  const connection = { role, search_path: 'filegraph', TimeZone: 'UTC', ...planSettings }
  const options = { max: 1, fetch_types: false, onnotice: () => undefined, connection }
  const idle = Array.from({ length: size }, () => postgres(url, options))
  const waiting = []
  const lease = () => idle.pop() ?? new Promise((resolve) => waiting.push(resolve))
  const give = (sql) => {
    const next = waiting.shift()
    if (next) next(sql)
    else idle.push(sql)
  }
  return async (begin, tenantId, text, params) => {
    const sql = await lease()
    try {
      const [, , rows] = await Promise.all([
        sql.unsafe(begin, [], { prepare: true }).execute(),
        sql.unsafe('select set_tenant($1)', [tenantId], { prepare: true }).execute(),
        sql.unsafe(text, params, { prepare: true }).values().execute(),
        sql.unsafe('commit', [], { prepare: true }).execute(),
      ])
      return rows
    } finally {
      give(sql)
    }
  }
}
