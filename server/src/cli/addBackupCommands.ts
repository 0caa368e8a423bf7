import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readDatabaseAddress } from '../database/databaseAddress.ts'
import { BackupFolder } from '../domain/backup/backupFolder.ts'
import { countOf, type Manifest } from '../domain/backup/manifest.ts'
import { restoreBackup } from '../domain/backup/restoreBackup.ts'
import { takeBackup } from '../domain/backup/takeBackup.ts'
import { verifyBackup } from '../domain/backup/verifyBackup.ts'
import { migrateEverything } from '../run/migrateEverything.ts'
import { openBackends } from '../run/openBackends.ts'
import { CommandFailed, examples, printJson, quietLogger, type Terminal } from './terminal.ts'
import { withBackends, withParts } from './withBackends.ts'

interface BackupOptions {
  readonly verify?: true
  readonly json?: true
}

const help = `
The folder holds any number of backups. They share their bytes, so a further backup copies only new ones. The product can be in
use meanwhile. A backup that was interrupted does not count; run the command again and it continues.

The login of DATABASE_MIGRATION_URL, or of DATABASE_URL, has to be a member of the role filegraph_backup.`

export function addBackupCommands(program: Command, terminal: Terminal): void {
  program
    .command('backup')
    .argument('<folder>', 'where the backups are')
    .description('Back up the database and the bytes of its files into a folder.')
    .option('--verify', 'read the newest backup of the folder and compare all of it with its manifest; back up nothing')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .addHelpText('after', examples('backup /backup/filegraph', 'backup /backup/filegraph --verify'))
    .action((path: string, options: BackupOptions) => {
      const folder = new BackupFolder(resolve(path))
      return options.verify ? verify(folder, terminal, options) : backUp(folder, terminal, options)
    })
  addRestoreCommand(program, terminal)
}

function backUp(folder: BackupFolder, terminal: Terminal, { json }: BackupOptions): Promise<void> {
  return withBackends(terminal, async ({ blobs }, { addresses }) => {
    const login = { url: addresses.ownerUrl, schema: addresses.schema }
    const { manifest, copied } = await takeBackup({ login, blobs, folder, progress: progressTo(terminal) })
    if (json) printJson(terminal, { ...summaryOf(manifest), copied })
    else
      terminal.print(
        `${sentenceOf('Backed up', manifest)} ${copied.count} objects were copied (${copied.bytes} bytes).\n`,
      )
    assertNothingMissing(manifest)
  })
}

async function verify(folder: BackupFolder, terminal: Terminal, { json }: BackupOptions): Promise<void> {
  const manifest = await folder.readManifest()
  await verifyBackup(folder, manifest, progressTo(terminal))
  if (json) printJson(terminal, summaryOf(manifest))
  else terminal.print(`${sentenceOf('Verified', manifest)}\n`)
  assertNothingMissing(manifest)
}

function addRestoreCommand(program: Command, terminal: Terminal): void {
  program
    .command('restore')
    .argument('<folder>', 'where the backups are')
    .description('Restore a backup into an empty database and an empty bucket, and verify all of it.')
    .option('--backup <id>', 'the folder of this backup (default: the newest)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nAfter an interruption, run the command again: it continues.')
    .addHelpText(
      'after',
      examples('restore /backup/filegraph', 'restore /backup/filegraph --backup 20261127T030000Z-a1b2c3'),
    )
    .action((path: string, options: { readonly backup?: string; readonly json?: true }) =>
      // An embedded database gets the tables of the backup first, and then newer ones.
      withParts(terminal, ({ config, addresses }) => restore(path, options, { terminal, config, addresses }), {
        migrates: false,
      }),
    )
}

type Places = Parameters<Parameters<typeof withParts>[1]>[0] & { readonly terminal: Terminal }

async function restore(
  path: string,
  { backup, json }: { readonly backup?: string; readonly json?: true },
  { terminal, config, addresses }: Places,
): Promise<void> {
  const folder = new BackupFolder(resolve(path))
  const manifest = await folder.readManifest(backup)
  const how = { logger: quietLogger, poolSize: 1, cleanup: config.cleanup, applicationName: 'filegraph command' }
  const backends = openBackends({ ...addresses, ...how })
  try {
    const { databaseUrl, ownerUrl: url, schema } = addresses
    const [user, owner] = [databaseUrl, url].map((each) => readDatabaseAddress(each).user)
    const members = user === undefined || user === owner ? [] : [user]
    const progress = progressTo(terminal)
    await restoreBackup({ login: { url, schema }, members, blobs: backends.blobs, folder, progress }, manifest)
    await migrateEverything(addresses, quietLogger)
  } finally {
    await backends.close()
  }
  if (json) printJson(terminal, summaryOf(manifest))
  else terminal.print(`${sentenceOf('Restored', manifest)}\n`)
  assertNothingMissing(manifest)
}

/** The backup is whole all the same: those bytes were gone before it was taken. */
function assertNothingMissing({ missing }: Manifest): void {
  if (missing.length === 0) return
  throw new CommandFailed(
    `${missing.length} objects were missing or damaged in the bucket, such as ${missing[0]}. Run fsck. All others are there.`,
  )
}

const summaryOf = (manifest: Manifest) => ({
  backup: manifest.id,
  at: manifest.at,
  tenants: countOf(manifest, 'tenants'),
  files: countOf(manifest, 'files'),
  changes: manifest.journal.changes,
  rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
  objects: manifest.objects.count,
  bytes: manifest.objects.bytes,
  missing: manifest.missing,
})

function sentenceOf(done: string, manifest: Manifest): string {
  const { backup, at, tenants, files, rows, objects, bytes } = summaryOf(manifest)
  const what = `${tenants} tenants, ${files} files, ${rows} rows, ${objects} objects (${bytes} bytes)`
  return `${done} ${backup}, the state of ${at}: ${what}.`
}

const pauseMs = 5_000

/** Prints a line every few seconds. */
function progressTo(terminal: Terminal): (line: string) => void {
  let last = performance.now()
  return (line) => {
    if (performance.now() - last < pauseMs) return
    last = performance.now()
    terminal.say(`${line}\n`)
  }
}
