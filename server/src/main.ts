import { runCommandLine } from './cli/commandLine.ts'
import { growHeapSlowly } from './process/growHeapSlowly.ts'
import { traceToSources } from './process/traceToSources.ts'

// Which Node versions next year's SDK needs is for whoever updates it to know, not for everybody who types a command.
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
