/** A command for an operator to run, and its output if the promise holds. */
export interface ByHand {
  readonly command: string
  readonly expected: string
}

/**
 * A query for psql. `DATABASE_URL` must name a superuser or a role with BYPASSRLS. For other roles, row-level security
 * hides the rows of every tenant, so each count is 0.
 */
export const psql = (query: string, expected: string): ByHand => ({
  command: `psql "$DATABASE_URL" -XqAtc "set search_path = filegraph, public; ${query}"`,
  expected,
})

/** A test, by its file below `server/` and a part of its title. It starts its own Postgres. */
export const vitest = (path: string, title: string): ByHand => ({
  command: `(cd server && npx vitest run ${path} -t "${title}")`,
  expected: 'Test Files  1 passed (1)',
})

/** Lists the production files below a folder that contain a text. */
export const grep = (text: string, folder: string, expected: readonly string[]): ByHand => ({
  command: `grep -rlF '${text}' ${folder} --include='*.ts' --exclude='*.test.ts' | sort`,
  expected: expected.join('\n'),
})
