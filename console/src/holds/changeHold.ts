import type { ApolloClient } from '@apollo/client'
import { HoldFileDocument, ReleaseFileDocument } from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'

export async function holdFile(client: ApolloClient, id: string, reason: string): Promise<void> {
  const { data } = await client.mutate({ mutation: HoldFileDocument, variables: { input: { id, reason } } })
  takeSuccess(data?.holdFile, 'file')
}

export async function releaseFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: ReleaseFileDocument, variables: { input: { id } } })
  takeSuccess(data?.releaseFile, 'file')
}
