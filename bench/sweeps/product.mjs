import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** What the benchmarks need of the server package: its sources, which are TypeScript, and its dependencies. */
const fromServer = createRequire(new URL('../../server/package.json', import.meta.url))

/** Node's option that lets a process import TypeScript. */
export const typescriptLoader = ['--import', pathToFileURL(fromServer.resolve('tsx')).href]

export const postgres = fromServer('postgres')

/** A module of the product, by its path below `server/src`. */
export const product = (path) => import(new URL(`../../server/src/${path}`, import.meta.url).href)

export const bucketKeys = {
  bucket: 'files',
  region: 'us-east-1',
  accessKeyId: 'BENCHKEY',
  secretAccessKey: 'bench-secret-bench-secret',
}
