import { Conflict, FileInUse, Invalid, NotFound } from '../../domain/refusals.ts'
import { purgeFile } from '../../domain/sweeps/purge/purgeFile.ts'
import type { CleanupRun as RunRow } from '../../domain/sweeps/runs/listRuns.ts'
import { requestCleanup } from '../../domain/sweeps/runs/requestRun.ts'
import { builder } from '../builder.ts'
import { fileId, successWithFile } from '../files/fileMutations.ts'
import { versionKey } from '../globalId.ts'
import { callerOf, loadersOf } from '../requestContext.ts'
import { CleanupKindEnum, CleanupRun } from './CleanupRun.ts'

const PurgeFileInput = builder.inputType('PurgeFileInput', {
  description: 'A file in the trash that shall never come back.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const RunCleanupInput = builder.inputType('RunCleanupInput', {
  description: 'A sweep to be made now.',
  fields: (t) => ({
    kind: t.field({ type: CleanupKindEnum, required: true, description: 'What to sweep.' }),
    isDryRun: t.boolean({
      defaultValue: false,
      description: 'Look and tell what would be deleted, and change nothing.',
    }),
    before: t.field({
      type: 'DateTime',
      description:
        'Only what was deleted or released before this time. It can shorten what is looked at, never the time in the trash.',
    }),
    exceedsBrake: t.boolean({
      defaultValue: false,
      description: 'Delete even more than the brake allows. For somebody who has looked at a run that was stopped.',
    }),
  }),
})

const PurgeFileSuccess = successWithFile('PurgeFileSuccess', 'The file is gone for good; its bytes follow.')

const RunCleanupSuccess = builder.objectRef<RunRow>('RunCleanupSuccess').implement({
  description: 'The run was asked for; it begins at once where a worker is there, and within a minute otherwise.',
  fields: (t) => ({
    cleanupRun: t.field({ type: CleanupRun, description: 'The run as it is now.', resolve: (run) => run }),
  }),
})

const answers = (what: string) => ({ description: `The answer of \`${what}\`.` })

builder.mutationFields((t) => ({
  purgeFile: t.field({
    type: PurgeFileSuccess,
    errors: { types: [NotFound, FileInUse, Conflict], union: answers('purgeFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description:
      'Ends the time of a file in the trash early: it can never be restored, and its bytes are deleted soon after. A file ' +
      'that is not in the trash, that is held, or that waits for a new version is refused.',
    args: { input: t.arg({ type: PurgeFileInput, required: true, description: 'Which file.' }) },
    resolve: async (_root, { input }, context) => {
      const { file, version } = await purgeFile(callerOf(context), fileId(input.id))
      loadersOf(context).versions.prime(versionKey(version.fileId, version.number), version)
      return file
    },
  }),
  runCleanup: t.field({
    type: RunCleanupSuccess,
    errors: { types: [Invalid], union: answers('runCleanup') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description: 'Asks for a sweep of the tenant now, for real or as a dry run.',
    args: { input: t.arg({ type: RunCleanupInput, required: true, description: 'Which sweep, and how.' }) },
    resolve: (_root, { input }, context) =>
      requestCleanup(callerOf(context), input.kind, {
        isDryRun: input.isDryRun ?? false,
        before: input.before ?? null,
        exceedsBrake: input.exceedsBrake ?? false,
        includesForeign: false,
      }),
  }),
}))
