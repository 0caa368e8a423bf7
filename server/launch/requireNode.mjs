// Imported before anything else, and written so that old versions of Node can still read it.
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const [major, minor] = engines.node.replace('>=', '').split('.').map(Number)
const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)

if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
  console.error(`Filegraph needs Node ${major}.${minor} or newer; this is ${process.version} (${process.execPath}).`)
  process.exit(1)
}
