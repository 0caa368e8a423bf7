import type { ApolloClient } from '@apollo/client'
import {
  ChangeRetentionDocument,
  DeleteFileDocument,
  FileNowDocument,
  IssueDownloadUrlDocument,
  PurgeFileDocument,
  RenameFileDocument,
  RestoreFileDocument,
  type Retention,
  UsageNowDocument,
} from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'
import { throwIfKept } from './fileKept.ts'
import { putIntoFiles, takeFromFiles, takeFromTrash } from './fileLists.ts'

/** Asks for an address on the record, and lets the browser save what is there under the name of the file. */
export async function downloadFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: IssueDownloadUrlDocument, variables: { input: { id } } })
  const link = document.createElement('a')
  link.href = takeSuccess(data?.issueDownloadUrl, 'url').url
  link.rel = 'noreferrer'
  link.click()
}

export async function renameFile(client: ApolloClient, id: string, name: string): Promise<void> {
  const { data } = await client.mutate({ mutation: RenameFileDocument, variables: { input: { id, name } } })
  takeSuccess(data?.renameFile, 'file')
}

export async function changeRetention(client: ApolloClient, id: string, retention: Retention): Promise<void> {
  const variables = { input: { id, retention } }
  const { data } = await client.mutate({ mutation: ChangeRetentionDocument, variables })
  takeSuccess(data?.changeRetention, 'file')
}

/** Rejects with `FileKept` where somebody uses or holds the file. */
export async function deleteFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: DeleteFileDocument, variables: { input: { id } } })
  if (!('file' in (data?.deleteFile ?? {}))) renewFile(client, id)
  throwIfKept(data?.deleteFile)
  takeSuccess(data?.deleteFile, 'file')
  takeFromFiles(client.cache, id)
  renewUsage(client)
}

export async function restoreFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: RestoreFileDocument, variables: { input: { id } } })
  const { file } = takeSuccess(data?.restoreFile, 'file')
  takeFromTrash(client.cache, id)
  putIntoFiles(client.cache, file)
  renewUsage(client)
}

/** For good: it is in no list any more, and nothing brings it back. */
export async function purgeFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: PurgeFileDocument, variables: { input: { id } } })
  takeSuccess(data?.purgeFile, 'file')
  takeFromTrash(client.cache, id)
  renewUsage(client)
}

/** In the background: what was refused was asked for without knowing how the file stands. */
function renewFile(client: ApolloClient, id: string): void {
  const variables = { id }
  void client.query({ query: FileNowDocument, variables, fetchPolicy: 'network-only' }).catch(() => undefined)
}

/** In the background: it is a detail at the side, and the next page brings it anyway. */
function renewUsage(client: ApolloClient): void {
  void client.query({ query: UsageNowDocument, fetchPolicy: 'network-only' }).catch(() => undefined)
}
