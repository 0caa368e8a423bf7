import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { isRunning } from '../folder/folderLock.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { freePort } from './freePort.ts'
import { embeddedUrls, type PostgresSecrets, prepareDatabase } from './prepareDatabase.ts'
import { endOrphan, endServer, runWithoutServer, type ServerProcess, spawnServer, tell } from './serverProcess.ts'

export interface EmbeddedPostgresOptions {
  /** Where the cluster lies, or where a link leads to it. Nobody else may use it: hold the lock of the data folder. */
  readonly folder: string
  readonly logFile: string
  readonly secrets: PostgresSecrets
  /** Taken if it is free. */
  readonly port: number | null
  /** False in tests alone. */
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  /** The login of the application. */
  readonly url: string
  /** The login that owns the database, may create tables and roles, and is not a superuser. */
  readonly migrationUrl: string
  readonly superuserUrl: string
  readonly port: number
  /** Where the files really are. */
  readonly folder: string
  /** Resolves when no process of the server is left. */
  stop(): Promise<void>
}

interface Start {
  readonly cluster: Cluster
  readonly options: EmbeddedPostgresOptions
  readonly isCancelled: () => boolean
}

const startAttempts = 20
const retryPauseMs = 500
const readyPatienceMs = 120_000

/**
 * Starts the PostgreSQL that comes with the package, after a crash of everything too, and prepares its database. A server
 * that ends without being told to is started again on the same port.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, secrets, durable = true } = options
  const cluster = await openCluster({ folder, durable, superuserPassword: secrets.postgresSuperuserPassword })
  let isStopping = false
  const start: Start = { cluster, options, isCancelled: () => isStopping }
  const { server, port } = await startUntilReady(start, () => freePort(options.port))
  const urls = embeddedUrls(port, secrets)
  const keeper = keepRunning(server, async () => (await startUntilReady(start, () => Promise.resolve(port))).server)
  const stop = async () => {
    isStopping = true
    await keeper.stop()
  }
  try {
    await prepareDatabase(urls.superuserUrl, secrets)
  } catch (error) {
    await stop()
    throw error
  }
  return { ...urls, port, folder: cluster.folder, stop }
}

/** Starts a server in place of one that died, until `stop`. */
function keepRunning(first: ServerProcess, startAgain: () => Promise<ServerProcess>): { stop(): Promise<void> } {
  let server = first
  let isStopping = false
  const keeping = keep()
  // Whatever ends this process without `stop`: the server shuts down by itself once it was told.
  const onExit = () => void tell(server.pid, 'SIGINT')
  process.once('exit', onExit)

  async function keep(): Promise<void> {
    for (;;) {
      await server.exited
      if (isStopping) return
      try {
        server = await startAgain()
      } catch {
        await sleep(retryPauseMs)
      }
    }
  }

  return {
    async stop() {
      isStopping = true
      await endServer(server.pid)
      await keeping
      process.off('exit', onExit)
    },
  }
}

/** A crashed server's children may hold its memory for a moment, and somebody may take the port: then once more. */
async function startUntilReady({ cluster, options, isCancelled }: Start, choosePort: () => Promise<number>) {
  const { logFile, secrets, durable = true } = options
  for (let attempt = 1; attempt <= startAttempts && !isCancelled(); attempt += 1) {
    if (attempt > 1) await sleep(retryPauseMs)
    // Each time: one that was started by a process which died a moment ago makes itself known only now.
    await endOrphan(cluster)
    const port = await choosePort()
    const server = spawnServer(cluster, { port, logFile, durable })
    const isAlive = () => !isCancelled() && server.pid !== 0 && isRunning(server.pid)
    const answer = await untilAnswer(embeddedUrls(port, secrets).superuserUrl, isAlive)
    if (answer === 'ready') return { server, port }
    await endServer(server.pid)
    if (answer === 'other password') await changePassword(cluster, secrets.postgresSuperuserPassword)
  }
  throw new Error(`PostgreSQL did not start: ${lastComplaint(logFile)} (${logFile})`)
}

/** The generated secrets were lost, and generated again. Write access to the files is access to the database. */
const changePassword = (cluster: Cluster, password: string) =>
  runWithoutServer(cluster, `alter role postgres password '${password}'`)

async function untilAnswer(url: string, isAlive: () => boolean): Promise<'ready' | 'other password' | 'none'> {
  for (const end = Date.now() + readyPatienceMs; Date.now() < end && isAlive(); await sleep(25)) {
    const client = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined })
    try {
      await client`select 1`
      // Another server may have been faster on this port.
      return isAlive() ? 'ready' : 'none'
    } catch (error) {
      // 28P01: invalid_password. Anything else: not yet.
      if ((error as { code?: string }).code === '28P01' && isAlive()) return 'other password'
    } finally {
      await client.end({ timeout: 0 })
    }
  }
  return 'none'
}

function lastComplaint(logFile: string): string {
  const complaints = readFileSync(logFile, 'utf8').match(/(?:FATAL|PANIC): .*/g) ?? []
  return complaints.at(-1) ?? 'it did not answer in time'
}
