import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configurationOf } from './configurationOf.mjs'

/** The programs that a cluster of one needs, and the Debian packages that hold them. */
export const programs = {
  radosgw: 'radosgw',
  'radosgw-admin': 'radosgw',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  ceph: 'ceph-common',
  'ceph-authtool': 'ceph-common',
  monmaptool: 'ceph-common',
}

const patienceMs = 120_000

/**
 * Starts one monitor, one OSD and one gateway on loopback, in an empty folder, for as long as this process lives.
 * @param {string} folder absolute and short: the sockets in it have to fit into a path of 107 bytes
 * @returns {Promise<{ endpoint: string, accessKeyId: string, secretAccessKey: string, stop: () => Promise<void> }>}
 */
export async function startCeph(folder) {
  const [v1, v2, gateway] = await freePorts(3)
  const conf = join(folder, 'ceph.conf')
  const at = (name) => join(folder, name)
  for (const name of ['mon', 'osd', 'run', 'log', 'rgw']) mkdirSync(at(name), { recursive: true })
  const clusterId = randomUUID()
  const monitors = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`
  writeFileSync(conf, configurationOf({ folder, clusterId, monitors, gatewayPort: gateway }))
  const daemons = []
  const stop = async () => {
    for (const daemon of daemons.reverse()) await end(daemon)
  }
  const daemon = (name, ...args) => {
    const child = spawn(name, ['-f', '-c', conf, ...args], { stdio: 'ignore', env: environment(conf) })
    daemons.push(child)
    killAtExit(child)
  }
  const tool = (name, args, input) => runTool(name, args, input, environment(conf))
  try {
    await makeKeys(tool, at, clusterId, monitors)
    await tool('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', at('monmap'), '--keyring', at('monkeyring'), '-c', conf])
    daemon('ceph-mon', '-i', 'a')
    await addOsd(tool, at, conf)
    daemon('ceph-osd', '-i', '0')
    await tool('ceph', ['-c', conf, 'osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=localhost'])
    const keys = { accessKeyId: 'FILEGRAPHTEST', secretAccessKey: randomBytes(20).toString('hex') }
    const keyArgs = ['--access-key', keys.accessKeyId, '--secret-key', keys.secretAccessKey]
    await tool('radosgw-admin', ['-c', conf, 'user', 'create', '--uid=test', '--display-name=test', ...keyArgs])
    daemon('radosgw', '-n', 'client.rgw.a')
    const endpoint = `http://127.0.0.1:${gateway}`
    await untilAnswering(endpoint)
    return { endpoint, ...keys, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const environment = (conf) => ({ ...process.env, CEPH_CONF: conf })

async function makeKeys(tool, at, clusterId, monitors) {
  await tool('monmaptool', ['--create', '--fsid', clusterId, '--addv', 'a', monitors, at('monmap')])
  const mon = ['-n', 'mon.', '--cap', 'mon', 'allow *']
  await tool('ceph-authtool', ['--create-keyring', at('monkeyring'), '--gen-key', ...mon])
  const admin = ['-n', 'client.admin', '--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *']
  await tool('ceph-authtool', ['--create-keyring', at('keyring'), '--gen-key', ...admin])
  const gateway = ['-n', 'client.rgw.a', '--cap', 'mon', 'allow rw', '--cap', 'osd', 'allow rwx']
  await tool('ceph-authtool', [at('keyring'), '--gen-key', ...gateway])
  await tool('ceph-authtool', [at('monkeyring'), '--import-keyring', at('keyring')])
}

/** An OSD has to be known to the monitor, with its key, before it may join. */
async function addOsd(tool, at, conf) {
  const uuid = randomUUID()
  const key = (await tool('ceph-authtool', ['--gen-print-key'])).trim()
  await tool('ceph', ['-c', conf, 'osd', 'new', uuid, '-i', '-'], JSON.stringify({ cephx_secret: key }))
  await tool('ceph-authtool', ['--create-keyring', join(at('osd'), 'keyring'), '-n', 'osd.0', '-a', key])
  await tool('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', uuid, '-c', conf])
}

function runTool(name, args, input, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { env, timeout: patienceMs, stdio: ['pipe', 'pipe', 'pipe'] })
    killAtExit(child)
    let output = ''
    let errors = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (errors += data))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${name} ${args.slice(0, 4).join(' ')} ended with ${code}: ${errors.trim().slice(-500)}`))
    })
    child.stdin.end(input ?? '')
  })
}

async function untilAnswering(endpoint) {
  for (const deadline = Date.now() + patienceMs; ; await sleep(200)) {
    const answer = await fetch(endpoint).catch(() => null)
    if (answer) return
    if (Date.now() > deadline) throw new Error('The gateway does not answer')
  }
}

/** Before any other hook: the folder can be removed only once nobody writes into it. */
function killAtExit(child) {
  const kill = () => child.kill('SIGKILL')
  process.prependOnceListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(timer)
}

/** Held all at once, so that they differ. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
