import { compare } from '../harness/compare.mjs'
import { countBuffers } from '../harness/countBuffers.mjs'
import { findCursor } from '../harness/findCursor.mjs'
import { requestOf } from '../harness/requests.mjs'

const pageRows = 20
const deepestPage = 10_000

/** A page far down the list against its beginning, both by the product: page 10,000 where there are so many files. */
export const compareDepth = {
  name: 'deep-page',
  run: async ({ product, largest, pace }) => {
    const number = Math.min(deepestPage, Math.floor((largest.files * 0.8) / pageRows))
    const after = await findCursor(product, largest, (number - 1) * pageRows)
    const shallow = requestOf(largest, 'ListFiles', { first: pageRows })
    const deep = requestOf(largest, 'ListFiles', { first: pageRows, after })
    const sides = [deep, shallow].map((request) => ({ ...product, request }))
    const measured = await compare({ sides, ...pace })
    const [buffers, buffersOfFirst] = [
      await countBuffers(product, largest, { first: pageRows, after }),
      await countBuffers(product, largest, { first: pageRows }),
    ]
    const what = `page ${number} to page 1`
    const bounds = { wanted: { most: 1.2 }, generous: { most: 2 } }
    return {
      comparisons: [{ name: 'deep-page', title: `${what} (both the product)`, ...measured }],
      facts: [{ what: `buffers of page ${number} and of page 1`, is: `${buffers} and ${buffersOfFirst}` }],
      targets: [
        { what: `${what}: time`, is: 1 / measured.throughputRatio, ...bounds },
        { what: `${what}: buffers`, is: buffers / buffersOfFirst, ...bounds },
      ],
    }
  },
}
