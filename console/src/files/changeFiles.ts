import type { ApolloClient } from '@apollo/client'
import { tellPurged, whenPurged } from '../apollo/changes.ts'
import {
  type AttachmentRowFragment,
  type DeleteFileMutation,
  ChangeRetentionDocument,
  DeleteFileDocument,
  FileNowDocument,
  PurgeFileDocument,
  RenameFileDocument,
  RestoreFileDocument,
  type Retention,
  UsageNowDocument,
} from '../apollo/operations.ts'
import { RefusedError, takeSuccess } from '../apollo/takeSuccess.ts'
import type { Refusal } from '../apollo/wordRefusal.ts'
import { withdraw } from '../ui/say.ts'
import { putIntoFiles, takeFromFiles, takeFromTrash } from './fileLists.ts'

/** The first users of a file, and the number of all. */
export interface Users {
  readonly attachments: readonly AttachmentRowFragment[]
  readonly attachmentCount: number
}

/** A file could not be deleted, because of its users or, without users, because of a hold. */
export class FileKept extends RefusedError {
  readonly users: Users | null

  constructor(refusal: Refusal, users: Users | null) {
    super(refusal)
    this.users = users
  }
}

/** Throws `FileKept` if a file was not deleted because it is used or held. */
function throwIfKept(result: DeleteFileMutation['deleteFile'] | undefined): void {
  if (!result || !('__typename' in result)) return
  if (result.__typename === 'FileInUseError') throw new FileKept(result, result)
  if (result.__typename === 'ConflictError') throw new FileKept(result, null)
}

// A purge in any tab removes the offer to undo the deletion.
whenPurged(withdraw)

export async function renameFile(client: ApolloClient, id: string, name: string): Promise<void> {
  const { data } = await client.mutate({ mutation: RenameFileDocument, variables: { input: { id, name } } })
  await ofLivingFile(client, id, () => takeSuccess(data?.renameFile, 'file'))
}

export async function changeRetention(client: ApolloClient, id: string, retention: Retention): Promise<void> {
  const variables = { input: { id, retention } }
  const { data } = await client.mutate({ mutation: ChangeRetentionDocument, variables })
  await ofLivingFile(client, id, () => takeSuccess(data?.changeRetention, 'file'))
}

/** Rejects with `FileKept` if the file is used or held. */
export async function deleteFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: DeleteFileDocument, variables: { input: { id } } })
  await ofLivingFile(client, id, () => {
    throwIfKept(data?.deleteFile)
    takeSuccess(data?.deleteFile, 'file')
  })
  takeFromFiles(client.cache, id)
  renewUsage(client)
}

/** Rejects with `RefusedError` and the code NOT_FOUND if the file was purged. */
export async function restoreFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: RestoreFileDocument, variables: { input: { id } } })
  const { file } = await ofTrashedFile(client, id, () => takeSuccess(data?.restoreFile, 'file'))
  takeFromTrash(client.cache, id)
  putIntoFiles(client.cache, file)
  renewUsage(client)
}

/** Deletes a file forever, and removes it from every list. */
export async function purgeFile(client: ApolloClient, tenant: string, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: PurgeFileDocument, variables: { input: { id } } })
  await ofTrashedFile(client, id, () => takeSuccess(data?.purgeFile, 'file'))
  tellPurged(tenant, id)
  takeFromTrash(client.cache, id)
  renewUsage(client)
}

/** Loads the current state of a file, and removes it from the lists if somebody else has deleted it. Never rejects. */
export const renewFile = (client: ApolloClient, id: string): Promise<void> =>
  client.query({ query: FileNowDocument, variables: { id }, fetchPolicy: 'network-only' }).then(
    ({ data }) => {
      if (data?.file === null) takeFromFiles(client.cache, id)
    },
    () => undefined,
  )

/** Runs `take` on the response of a mutation. After a refusal the state on the screen was out of date, so the file is loaded again. */
async function ofLivingFile<T>(client: ApolloClient, id: string, take: () => T): Promise<T> {
  try {
    return take()
  } catch (error) {
    void renewFile(client, id)
    throw error
  }
}

/** The same for a file in the trash: one that is not found was purged. */
async function ofTrashedFile<T>(client: ApolloClient, id: string, take: () => T): Promise<T> {
  try {
    return take()
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.code === 'NOT_FOUND') takeFromTrash(client.cache, id)
    throw error
  }
}

/** Updates the usage in the background. The next page loads it too, so a failure needs no message. */
function renewUsage(client: ApolloClient): void {
  void client.query({ query: UsageNowDocument, fetchPolicy: 'network-only' }).catch(() => undefined)
}
