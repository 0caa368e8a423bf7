import { createRequire } from 'node:module'

const fromServer = createRequire(new URL('../../server/package.json', import.meta.url))

export const postgres = fromServer('postgres')

/** A module of the built product, by its path below `server/dist`. */
export const product = (path) => import(new URL(`../../server/dist/${path}`, import.meta.url).href)
