import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { exclusively } from './exclusively.mjs'
import { fingerprintOf, forget, isStamped, stamp } from './fingerprint.mjs'
import { runProgram } from './runProgram.mjs'
import { consoleFolder, LaunchFailed, repository, say, serverFolder } from './workspace.mjs'

const packageManager = 'pnpm@12.21.0'
const folders = [repository, serverFolder, consoleFolder]
const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc']

/** Installs what the lockfile names, unless that was done before. Needs nothing but Node and npm. */
export async function ensureInstalled() {
  if (isInstalled()) return
  await exclusively(async () => {
    if (isInstalled()) return
    say('Installing packages; the first time this takes a minute or two…')
    forget('installed')
    const { code, output } = await install()
    if (code !== 0) throw new LaunchFailed(whyNot(output))
    stamp('installed', wanted())
  })
}

const isInstalled = () =>
  folders.every((folder) => existsSync(join(folder, 'node_modules'))) && isStamped('installed', wanted())

/** Of a package.json the dependencies count alone: a script that changes is no reason to install. */
const wanted = () => `${fingerprintOf(inputs)} ${folders.map(dependenciesIn).join(' ')}`

function dependenciesIn(folder) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return JSON.stringify({ dependencies, devDependencies })
}

const install = () => runPackageManager(['install', '--frozen-lockfile'])

/**
 * Runs pnpm, which npm fetches.
 *
 * @param {readonly string[]} command
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runPackageManager(command) {
  const args = ['--yes', `--package=${packageManager}`, '--', 'pnpm', ...command]
  // Whoever asks for production means the running server; what builds it has to be installed all the same.
  const { NODE_ENV: _, ...inherited } = process.env
  const env = {
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '10000',
    ...inherited,
    CI: 'true',
    // `npm run -s` would keep the reason of a failure from us.
    npm_config_loglevel: 'error',
    ...(isWritable(homedir()) ? {} : { HOME: join(repository, 'node_modules', '.home'), npm_config_cache: undefined }),
  }
  const npm = process.env['npm_execpath'] ?? ''
  if (/npm-cli\.[cm]?js$/.test(npm)) {
    return runProgram(process.execPath, [npm, 'exec', ...args, '--reporter=append-only'], { env, quiet: true })
  }
  const shell = process.platform === 'win32'
  return runProgram('npx', [...args, '--reporter=append-only'], { env, quiet: true, shell })
}

/** The user of a service often has a home that does not exist; npm and pnpm want to keep in one what they fetched. */
function isWritable(home) {
  try {
    accessSync(home, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function whyNot(output) {
  const network = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/.exec(output)
  if (network) {
    return `The packages could not be fetched: the registry cannot be reached (${network[1]}). Check the network and "npm config get registry", then try again.`
  }
  const tail = output.trim().split('\n').slice(-20).join('\n')
  return `${tail}\nThe packages could not be installed; the lines above tell why.`
}
