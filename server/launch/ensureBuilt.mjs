import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { exclusively } from './exclusively.mjs'
import { fingerprintOf, forget, isStamped, stamp } from './fingerprint.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
import { consoleFolder, LaunchFailed, repository, say, serverFolder } from './workspace.mjs'

export const serverEntry = join(serverFolder, 'dist', 'main.js')

const isSource = (path) => !/\/(dist|node_modules|test|testing)$|\.(test|contract)\.tsx?$|\.tsbuildinfo$/.test(path)
const shared = ['tsconfig.base.json', 'pnpm-lock.yaml']

const serverBuild = {
  step: 'server',
  inputs: ['server/src', 'server/tsconfig.json', 'server/tsconfig.build.json', ...shared],
  output: serverEntry,
  run: buildServer,
}

const consoleBuild = {
  step: 'console',
  inputs: ['console', 'schema.graphql', ...shared],
  output: join(consoleFolder, 'dist', 'index.html'),
  run: buildConsole,
}

/** Compiles the server where its sources changed since the last time. */
export const ensureServerBuilt = () => ensure(serverBuild)

/** Bundles the console where its sources changed since the last time. */
export async function ensureConsoleBuilt() {
  if (existsSync(join(consoleFolder, 'index.html'))) await ensure(consoleBuild)
}

async function ensure(build) {
  const fingerprint = () => fingerprintOf(build.inputs, isSource)
  const isBuilt = () => existsSync(build.output) && isStamped(build.step, fingerprint())
  if (isBuilt()) return
  await exclusively(async () => {
    if (isBuilt()) return
    say(`Building the ${build.step}…`)
    // Taken first: what is edited while the build runs is built the next time.
    const built = fingerprint()
    forget(build.step)
    const { code, output } = await build.run()
    if (code !== 0) throw new LaunchFailed(`${output.trim()}\nThe ${build.step} could not be built.`)
    stamp(build.step, built)
  })
}

/** Compiled aside, so that files of an older build do not stay behind and a failed one leaves the last in place. */
async function buildServer() {
  const aside = join(serverFolder, 'dist.new')
  const done = join(serverFolder, 'dist')
  rmSync(aside, { recursive: true, force: true })
  const tsc = commandOf(repository, 'typescript', 'tsc')
  const project = ['-p', join(serverFolder, 'tsconfig.build.json'), '--outDir', aside]
  const result = await runProgram(process.execPath, [tsc, ...project], { quiet: true })
  if (result.code !== 0) return result
  rmSync(done, { recursive: true, force: true })
  renameSync(aside, done)
  return result
}

/** The console's own script, run as npm would run it. */
function buildConsole() {
  const { scripts } = JSON.parse(readFileSync(join(consoleFolder, 'package.json'), 'utf8'))
  const commands = [consoleFolder, repository].map((folder) => join(folder, 'node_modules', '.bin'))
  const path = [...commands, process.env['PATH'] ?? ''].join(delimiter)
  const env = { ...process.env, PATH: path, NODE_ENV: 'production' }
  return runProgram(scripts.build, [], { cwd: consoleFolder, env, shell: true, quiet: true })
}
