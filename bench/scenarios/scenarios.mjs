import { compareDepth } from './compareDepth.mjs'
import { comparisons } from './comparePages.mjs'
import { mixedLoad } from './mixedLoad.mjs'
import { signUrls } from './signUrls.mjs'
import { uploadFiles } from './uploadFiles.mjs'

const inSmoke = new Set(['mixed', 'list-20', 'deep-page', 'issue-url', 'upload', 'sign'])

/** In the order in which they run: memory is weighed before the pages fill it. */
export const scenarios = [mixedLoad, ...comparisons, compareDepth, uploadFiles, signUrls].map((scenario) => ({
  ...scenario,
  isInSmoke: inSmoke.has(scenario.name),
}))
