import { setFlagsFromString } from 'node:v8'
import { runCommandLine } from './cli/commandLine.ts'
import { traceToSources } from './run/traceToSources.ts'

/**
 * The growth of the old generation, in percent, before V8 collects it again. By default V8 lets it grow to four times
 * the live size, which keeps more garbage than live data: 300 MB instead of 171 after a minute of load.
 */
const growthPercent = 40

/**
 * Makes V8 collect old objects earlier. It is not a limit: live data can grow as far as before. The young generation
 * keeps its size, because a smaller one doubled the time spent in collections.
 *
 * It also works for a heap that is already in use, so the way the process was started does not matter.
 */
function growHeapSlowly(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
}

// Suppresses the SDK's notice about future Node versions. It concerns those who update the SDK, not those who run a
// command.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

growHeapSlowly()
// In development, the sources run directly.
if (import.meta.url.endsWith('.js')) traceToSources()

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  print: (text) => process.stdout.write(text),
  say: (text) => process.stderr.write(text),
})

// Open handles that remain after a command, such as a request that nothing awaits, must not keep the process alive.
setTimeout(() => process.exit(), 2_000).unref()
