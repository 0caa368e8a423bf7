import { setTimeout as sleep } from 'node:timers/promises'
import { residentMB, sharedMB } from './harness/processUse.mjs'
import { seedData } from './harness/seedData.mjs'
import { startFloor } from './harness/startFloor.mjs'
import { startProduct } from './harness/startProduct.mjs'

const restMs = 5_000

/**
 * Starts the product on an empty folder, seeds its database, and starts it once more on what is there now: that is the
 * one that is measured, so that nothing of the seeding is left in its memory.
 */
export async function prepareBench({ folder, options, isQuick, say }) {
  say('Starting on an empty folder…')
  const first = await startProduct(folder)
  say(`Seeding ${options.files} files in ${options.tenants} tenants…`)
  const tenants = await seedData(first, options)
  await first.stop()
  const { profile } = options
  const nodeOptions = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const product = await startProduct(folder, { nodeOptions })
  await sleep(restMs)
  const atRest = { node: residentMB(product.pid), postgres: sharedMB(product.postgresPid) }
  const floor = await startFloor(product)
  const sides = [product, { ...floor, postgresPid: product.postgresPid }]
  const facts = [
    { what: 'cold start to /readyz, empty folder (makes the database)', is: `${Math.round(first.startMs)} ms` },
    { what: `cold start to /readyz, ${options.files} files`, is: `${Math.round(product.startMs)} ms` },
    { what: 'memory at rest: API and worker, Postgres', is: memoryText(atRest) },
  ]
  return {
    folder,
    options,
    isQuick,
    product,
    floor,
    sides,
    tenants,
    largest: tenants[0],
    pace: options.pace,
    found: { facts },
  }
}

export const memoryText = ({ node, postgres }) =>
  node === null ? 'n/a' : `${Math.round(node)} MB, ${postgres === null ? 'n/a' : Math.round(postgres)} MB`
