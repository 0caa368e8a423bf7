import { createServer } from 'node:net'
import type { Config } from '../config/config.ts'
import type { ConfigVariableName } from '../config/variables.ts'

/** The server cannot listen on the port. The message is one line for people. */
export class PortUnusable extends Error {
  override readonly name = 'PortUnusable'
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use. Stop what uses it, or set $PORT to another one',
  EACCES: 'may not be used by this user. Set $PORT to 1024 or above',
  EADDRNOTAVAIL: 'cannot be used: HOST is not an address of this machine',
  ENOTFOUND: 'cannot be used: HOST is not an address of this machine',
}

/** Replaces port 0 by a free port. Rejects with `PortUnusable` before anything else starts. */
export async function withUsablePort(config: Config): Promise<Config> {
  const { host, port: asked } = config.http
  const port = await tryPort(host, asked)
  return port === asked ? config : { ...config, http: { ...config.http, port } }
}

/** Translates an error of `listen` into one line. Returns other errors unchanged. */
export function portProblem(
  error: unknown,
  { host, port }: Pick<Config['http'], 'host' | 'port'>,
  variable: ConfigVariableName = 'PORT',
): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const { code } = error as NodeJS.ErrnoException
  const reason = code === undefined ? undefined : reasons[code]
  return reason === undefined
    ? error
    : new PortUnusable(`Port ${port} on ${host} ${reason.replace('$PORT', variable)}.`)
}

function tryPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(portProblem(error, { host, port })))
    server.listen({ host, port }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}
