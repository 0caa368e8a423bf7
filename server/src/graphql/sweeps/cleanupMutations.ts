import { Conflict, FileInUse, Invalid, NotFound } from '../../domain/refusals.ts'
import { purgeFile } from '../../domain/sweeps/purge/purgeFile.ts'
import { requestCleanup, type RunId } from '../../domain/sweeps/runs/requestRun.ts'
import { builder } from '../builder.ts'
import { fileId, successWithFile } from '../files/fileMutations.ts'
import { versionKey } from '../globalId.ts'
import { callerOf, loadersOf } from '../requestContext.ts'
import { CleanupKindEnum, CleanupRun } from './CleanupRun.ts'

const PurgeFileInput = builder.inputType('PurgeFileInput', {
  description: 'The file to purge from the trash.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const RunCleanupInput = builder.inputType('RunCleanupInput', {
  description: 'The cleanup to run now.',
  fields: (t) => ({
    kind: t.field({ type: CleanupKindEnum, required: true, description: 'The kind of cleanup.' }),
    isDryRun: t.boolean({
      defaultValue: false,
      description: 'Report what would be deleted and change nothing. Default: false.',
    }),
    before: t.field({
      type: 'DateTime',
      description:
        'Handle only items that were deleted or released before this time. It cannot shorten the time in the trash. ' +
        'Default: the regular cut-off.',
    }),
    exceedsBrake: t.boolean({
      defaultValue: false,
      description:
        'Allow the run to delete more than the safety limit. Use it only after you have reviewed a STOPPED run. ' +
        'Default: false.',
    }),
  }),
})

const PurgeFileSuccess = successWithFile(
  'PurgeFileSuccess',
  'The file is deleted permanently. Its bytes are deleted soon after.',
)

const RunCleanupSuccess = builder.objectRef<RunId>('RunCleanupSuccess').implement({
  description: 'The run is queued. A worker starts it at once, or within a minute.',
  fields: (t) => ({
    cleanupRun: t.field({ type: CleanupRun, description: 'The queued run.', resolve: (run) => run }),
  }),
})

const answers = (what: string) => ({ description: `The result of \`${what}\`.` })

builder.mutationFields((t) => ({
  purgeFile: t.field({
    type: PurgeFileSuccess,
    errors: { types: [NotFound, FileInUse, Conflict], union: answers('purgeFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description:
      'Deletes a file in the trash permanently. It cannot be restored, and its bytes are deleted soon after. ' +
      'Returns ConflictError if the file is not in the trash, is under legal hold, or has a pending upload.',
    args: { input: t.arg({ type: PurgeFileInput, required: true, description: 'The file to purge.' }) },
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
    description: 'Queues a cleanup run for the tenant, optionally as a dry run.',
    args: { input: t.arg({ type: RunCleanupInput, required: true, description: 'The cleanup to run.' }) },
    resolve: (_root, { input }, context) =>
      requestCleanup(callerOf(context), input.kind, {
        isDryRun: input.isDryRun ?? false,
        before: input.before ?? null,
        exceedsBrake: input.exceedsBrake ?? false,
        includesForeign: false,
      }),
  }),
}))
