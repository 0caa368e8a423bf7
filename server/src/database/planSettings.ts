/**
 * How Postgres plans the application's statements. Planning a list costs five times what running it does, so a plan is
 * made once a connection and then serves every tenant and every value; it knows neither.
 *
 * By itself Postgres takes a tenant for an average one and an unknown limit for a tenth of the list. Where most tenants are
 * small, reading all of one, joining and sorting it then looks as cheap as walking an index until the page is full, and
 * costs the large one a second a page. Every statement of ours is a page or a look-up by key, and has an index that it can
 * walk: these say so. What needs a sort or a full join all the same still gets it.
 *
 * As text, since the driver leaves out what is false.
 */
export const planSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  enable_material: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Starting workers takes longer than a page, and compiling a plan longer than running it.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
} as const
