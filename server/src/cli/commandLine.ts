import { Command, CommanderError } from 'commander'
import { addAcceptBucketCommand } from './addAcceptBucketCommand.ts'
import { addBackupCommands } from './addBackupCommands.ts'
import { addCleanupCommands } from './addCleanupCommands.ts'
import { addCorsCommands } from './addCorsCommands.ts'
import { addDoctorCommand } from './addDoctorCommand.ts'
import { addFsckCommand } from './addFsckCommand.ts'
import { addKeyCommands } from './addKeyCommands.ts'
import { addMigrateCommand, addProcessCommands } from './addProcessCommands.ts'
import { addTenantCommands } from './addTenantCommands.ts'
import { addUserCommands } from './addUserCommands.ts'
import { addVerifyCommand } from './addVerifyCommand.ts'
import { sentenceFor } from './sentenceFor.ts'
import { examples, type Terminal } from './terminal.ts'

/** 0: success. 1: failed or refused; standard error has one line with the reason. 2: invalid usage. */
export type ExitCode = 0 | 1 | 2

export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    await commandLine(terminal).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has already printed the usage error or the requested help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    terminal.say(`${sentenceFor(error)}\n`)
    return 1
  }
}

function commandLine(terminal: Terminal): Command {
  // Commands inherit these settings when they are added, so the settings come first.
  const program = new Command('filegraph')
    .description('Runs and administers Filegraph.')
    .exitOverride()
    .showHelpAfterError('Add --help to see how it is used.')
    .configureOutput({ writeOut: terminal.print, writeErr: terminal.say })
    .configureHelp({ showGlobalOptions: false })
    .helpCommand(false)
  addProcessCommands(program, terminal)
  addMigrateCommand(program, terminal)
  addTenantCommands(program, terminal)
  addUserCommands(program, terminal)
  addKeyCommands(program, terminal)
  addDoctorCommand(program, terminal)
  addCorsCommands(program, terminal)
  addCleanupCommands(program, terminal)
  addAcceptBucketCommand(program, terminal)
  addFsckCommand(program, terminal)
  addVerifyCommand(program, terminal)
  addBackupCommands(program, terminal)
  program.addHelpText('after', examples('tenant list', 'key create --help'))
  program.addHelpText('after', '\nExit codes: 0 done, 1 failed or refused, 2 not understood.')
  return program
}
