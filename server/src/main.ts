import { setFlagsFromString } from 'node:v8'
import { runCommandLine } from './cli/commandLine.ts'
import { traceToSources } from './run/traceToSources.ts'

/**
 * By how many per cent the heap of old objects may grow before it is collected again. V8 decides by itself to let it grow
 * to four times what is in use, which keeps more garbage than product: 300 MB instead of 171 after a minute of load.
 */
const growthPercent = 40

/**
 * Makes V8 collect old objects earlier. It is not a limit: what is really in use may grow as far as it could before. The
 * part for young objects keeps its size, since a smaller one doubled the time spent in collections.
 *
 * Works for a heap that is in use already, so that it does not matter how the process was started.
 */
function growHeapSlowly(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
}

// Which Node versions next year's SDK needs matters to those who update it, not to everybody who types a command.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

growHeapSlowly()
// Development runs the sources themselves.
if (import.meta.url.endsWith('.js')) traceToSources()

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  print: (text) => process.stdout.write(text),
  say: (text) => process.stderr.write(text),
})

// Whatever still holds the process when a command is done holds it for nothing, such as a request that nobody waits for.
setTimeout(() => process.exit(), 2_000).unref()
