import postgres from 'postgres'
import type { Principal } from '../src/domain/context.ts'
import { type Answer, type Data, type TestService, type TestTenant, uploadFile } from './testService.ts'

/** What tests of attachments, holds and purges ask of a service, and what they look up. */
export interface FileChanges {
  /** Sends a mutation about a file; answers with all that GraphQL answers. */
  send(who: Principal | null, mutation: string, input: Data): Promise<Answer>
  /** The same; answers with the member of the union. */
  change(who: Principal, mutation: string, input: Data): Promise<Data>
  /** A file that stays only while something is attached to it. */
  uploadWhileAttached(tenant: TestTenant, name?: string): Promise<Data>
  /** The actions in the audit log, oldest first. */
  actionsOn(file: Data): Promise<string[]>
  /** The types of the events, oldest first. */
  eventsOf(file: Data): Promise<string[]>
  close(): Promise<void>
}

const fields = `id name state retention deletedAt purgeAfter attachmentCount hold { reason heldBy { name } }
  attachments(first: 100) { nodes { ownerType ownerId slot attachedBy { name } } }`

const errors: Record<string, string> = {
  deleteFile: '... on FileInUseError { attachmentCount attachments { ownerId slot file { id } attachedBy { name } } }',
  attachFile: '... on ValidationError { field }',
  detachFile: '... on ValidationError { field }',
  replaceAttachment: '... on ValidationError { field }',
  holdFile: '... on ValidationError { field }',
}

/** The part of an id of the API that stands in the tables. */
const plainId = (id: string): string => Buffer.from(id, 'base64url').toString().split(':').at(-1) ?? ''

export function fileChangesIn(service: TestService): FileChanges {
  const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })

  const send = (who: Principal | null, mutation: string, input: Data) => {
    const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`
    const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { __typename
      ... on ${type}Success { file { ${fields} } } ... on Error { code message } ${errors[mutation] ?? ''} } }`
    return service.ask(who, query, { input })
  }

  const change = async (who: Principal, mutation: string, input: Data) => {
    const answer = await send(who, mutation, input)
    if (answer.errors) throw new Error(JSON.stringify(answer.errors))
    return answer.data[mutation]
  }

  return {
    send,
    change,
    uploadWhileAttached: async (tenant, name = 'hello.txt') => {
      const file = await uploadFile(service, tenant.member, { name })
      await change(tenant.member, 'changeRetention', { id: file.id, retention: 'WHILE_ATTACHED' })
      return file
    },
    actionsOn: async (file) => {
      const rows = await superuser`select action from audit_log where subject_id = ${plainId(file.id)} order by at, id`
      return rows.map((row) => row['action'])
    },
    eventsOf: async (file) => {
      const rows =
        await superuser`select type from events where subject_id = ${plainId(file.id)} order by created_at, id`
      return rows.map((row) => row['type'])
    },
    close: () => superuser.end(),
  }
}
