import { compareDepth } from './compareDepth.mjs'
import { comparisons } from './comparePages.mjs'
import { signUrls } from './signUrls.mjs'

const inSmoke = new Set(['mixed', 'list-20', 'list-50', 'deep-page', 'issue-url', 'upload', 'sign'])

/** In the order in which they run: memory is weighed before the pages fill it. */
export const scenarios = [...comparisons, compareDepth, signUrls].map((scenario) => ({
  ...scenario,
  isInSmoke: inSmoke.has(scenario.name),
}))
