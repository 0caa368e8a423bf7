import { plantObjects } from './plantObjects.mjs'

/** `plantFolder.mjs <folder> <tenant> <count>` */
const [directory, tenantId, count] = process.argv.slice(2)
await plantObjects(directory, tenantId, Number(count))
process.send({ count })
process.disconnect()
