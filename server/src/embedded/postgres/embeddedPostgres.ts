import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { isRunning } from '../folder/folderLock.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { freePort } from './freePort.ts'
import { embeddedUrls, type PostgresSecrets, prepareDatabase } from './prepareDatabase.ts'
import { endOrphan, endServer, runWithoutServer, type ServerProcess, spawnServer, tell } from './serverProcess.ts'

export interface EmbeddedPostgresOptions {
  /** The location of the cluster, or of a link to it. The caller must hold the lock of the data folder. */
  readonly folder: string
  readonly logFile: string
  readonly secrets: PostgresSecrets
  /** The preferred port. Another one is used if it is taken. */
  readonly port: number | null
  /** False only in tests. */
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  /** The login of the application. */
  readonly url: string
  /** The login that owns the database. It can create tables and roles and is not a superuser. */
  readonly migrationUrl: string
  readonly superuserUrl: string
  readonly port: number
  /** The actual location of the files. */
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
 * Starts the packaged PostgreSQL, also after a crash, and prepares its database. Restarts a server that ends
 * unexpectedly, on the same port.
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

/** Restarts a server that died, until `stop`. */
function keepRunning(first: ServerProcess, startAgain: () => Promise<ServerProcess>): { stop(): Promise<void> } {
  let server = first
  let isStopping = false
  const keeping = keep()
  // If this process ends without `stop`, the signal makes the server shut down by itself.
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

/**
 * Retries once: children of a crashed server can hold its shared memory for a moment, and another process can take the
 * port.
 */
async function startUntilReady({ cluster, options, isCancelled }: Start, choosePort: () => Promise<number>) {
  const { logFile, secrets, durable = true } = options
  for (let attempt = 1; attempt <= startAttempts && !isCancelled(); attempt += 1) {
    if (attempt > 1) await sleep(retryPauseMs)
    // Checked each time: a server that a just-killed process had started can appear only now.
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

/** For lost and regenerated secrets. Write access to the files implies access to the database. */
const changePassword = (cluster: Cluster, password: string) =>
  runWithoutServer(cluster, `alter role postgres password '${password}'`)

async function untilAnswer(url: string, isAlive: () => boolean): Promise<'ready' | 'other password' | 'none'> {
  for (const end = Date.now() + readyPatienceMs; Date.now() < end && isAlive(); await sleep(25)) {
    const client = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined })
    try {
      await client`select 1`
      // Another server may have taken the port first.
      return isAlive() ? 'ready' : 'none'
    } catch (error) {
      // 28P01: invalid_password. Any other error: not ready yet.
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
