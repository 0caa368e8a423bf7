/** A command that anybody can paste, and what it prints if the promise holds. */
export interface ByHand {
  readonly command: string
  readonly expected: string
}

/**
 * A query for psql. `DATABASE_URL` has to name a superuser or a role with BYPASSRLS: from other roles, row-level security
 * hides the rows of every tenant, and each count is 0.
 */
export const psql = (query: string, expected: string): ByHand => ({
  command: `psql "$DATABASE_URL" -XqAtc "set search_path = filegraph, public; ${query}"`,
  expected,
})

/** A test by its file below `server/` and a part of its name. It starts a Postgres of its own. */
export const vitest = (path: string, title: string): ByHand => ({
  command: `(cd server && npx vitest run ${path} -t "${title}")`,
  expected: 'Test Files  1 passed (1)',
})

/** The production files below a folder that contain a text. */
export const grep = (text: string, folder: string, expected: readonly string[]): ByHand => ({
  command: `grep -rlF '${text}' ${folder} --include='*.ts' --exclude='*.test.ts' | sort`,
  expected: expected.join('\n'),
})
