import { Readable } from 'node:stream'
import { type ExitCode, runCommandLine } from '../commandLine.ts'

export interface Answer {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

export type Command = (...args: string[]) => Promise<Answer>

/** Runs commands inside this process, without its environment. */
export function commandsIn(env: Readonly<Record<string, string>>, input = ''): Command {
  return async (...args) => {
    let stdout = ''
    let stderr = ''
    const code = await runCommandLine(args, {
      env,
      stdin: Readable.from([input]) as NodeJS.ReadStream,
      print: (text) => (stdout += text),
      say: (text) => (stderr += text),
    })
    return { code, stdout, stderr }
  }
}
