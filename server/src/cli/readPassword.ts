import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CommandFailed, type Terminal } from './terminal.ts'

/** The first line of standard input. On a terminal it is asked for twice and not shown. */
export async function readPassword(terminal: Terminal): Promise<string> {
  const { stdin } = terminal
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: stdin.isTTY })
  try {
    if (!stdin.isTTY) {
      for await (const line of lines) return line
      throw new CommandFailed('No password came on standard input.')
    }
    const password = await ask(lines, terminal, 'Password: ')
    if ((await ask(lines, terminal, 'Once more: ')) !== password) throw new CommandFailed('The passwords differ.')
    return password
  } finally {
    lines.close()
  }
}

async function ask(lines: ReturnType<typeof createInterface>, terminal: Terminal, question: string): Promise<string> {
  terminal.say(question)
  const answer = await lines.question('')
  terminal.say('\n')
  return answer
}
