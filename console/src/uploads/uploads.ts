import { useSyncExternalStore } from 'react'
import type { ApolloClient } from '@apollo/client'
import {
  CancelUploadDocument,
  CommitUploadDocument,
  CreateUploadIntentDocument,
  UsageNowDocument,
} from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'
import { clientOf } from '../apollo/tenantClients.ts'
import { putIntoFiles } from '../files/fileLists.ts'
import { putBytes } from './putBytes.ts'
import type { UploadGateway } from './sendFile.ts'
import { sha256Of } from './sha256Of.ts'
import { createUploadQueue, isUnfinished } from './uploadQueue.ts'

/** The one queue of this browser tab. */
export const uploads = createUploadQueue({
  gatewayOf: (tenant) => gatewayOf(clientOf(tenant)),
  put: putBytes,
  digest: sha256Of,
  newKey: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  onDone: (tenant, file) => {
    const client = clientOf(tenant)
    putIntoFiles(client.cache, file)
    // Of a file that got a new version, these are no longer known; whoever shows them asks again.
    const id = client.cache.identify({ __typename: 'File', id: file.id })
    if (id) for (const fieldName of ['versions', 'sha256']) client.cache.evict({ id, fieldName })
    void client.query({ query: UsageNowDocument, fetchPolicy: 'network-only' }).catch(() => undefined)
  },
})

export const useUploads = (tenant: string) =>
  useSyncExternalStore(uploads.subscribe, uploads.uploads).filter((upload) => upload.tenant === tenant)

/** Closing the tab would stop what is on its way: the browser asks first. */
window.addEventListener('beforeunload', (event) => {
  if (uploads.uploads().some(isUnfinished)) event.preventDefault()
})

function gatewayOf(client: ApolloClient): UploadGateway {
  return {
    async createIntent(input) {
      const { data } = await client.mutate({ mutation: CreateUploadIntentDocument, variables: { input } })
      return takeSuccess(data?.createUploadIntent, 'uploadIntent').uploadIntent
    },
    async commit(id) {
      const { data } = await client.mutate({ mutation: CommitUploadDocument, variables: { input: { id } } })
      return takeSuccess(data?.commitUpload, 'file').file
    },
    async cancel(id) {
      await client.mutate({ mutation: CancelUploadDocument, variables: { input: { id } } })
    },
  }
}
