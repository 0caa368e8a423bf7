/**
 * How Postgres plans the application's statements. Planning a list costs five times what running it does, so a plan is
 * made once a connection and then serves every tenant and every value; it knows neither.
 *
 * By itself Postgres takes a tenant for an average one and an unknown limit for a tenth of the list. Where most tenants are
 * small, joining all rows of one looks as cheap as looking up those of a page, and costs the large one a second a page.
 * Every statement of ours reads a page or looks up by key, and there is an index for it: these say so. What has to join in
 * full all the same, as fsck does, still may. Sorting is left alone, since walking an index for its order can read far more
 * than a few rows that are found by key.
 *
 * As text, since the driver leaves out what is false.
 */
export const planSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_material: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Starting workers takes longer than a page, and compiling a plan longer than running it.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
} as const
