import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Data, startTestService, type TestService, type TestTenant } from './testService.ts'

interface Parties {
  readonly service: TestService
  readonly tenant: TestTenant
}

/** Starts a service with one tenant for the tests of a file, and returns the queries that tests of the lifecycle need. */
export function useLifecycle() {
  let started: Parties | undefined
  beforeAll(async () => {
    const service = await startTestService()
    started = { service, tenant: await service.createTenant() }
  })
  afterAll(() => started?.service.close())
  afterEach(() => {
    if (started) started.service.clock.offsetMs = 0
  })
  const parties = () => {
    if (!started) throw new Error('The service runs only while the tests run')
    return started
  }
  return {
    get service() {
      return parties().service
    },
    get tenant() {
      return parties().tenant
    },
    ...questionsOf(parties),
  }
}

function questionsOf(parties: () => Parties) {
  /** Of files that are not in the trash, the newest first. */
  const names = async (filter = ''): Promise<string[]> => {
    const { service, tenant } = parties()
    const { data } = await service.ask(tenant.viewer, `{ files(filter: { ${filter} }) { nodes { name } } }`)
    return data.files.nodes.map((file: Data) => file.name)
  }

  const change = async (mutation: string, input: Record<string, unknown>, who = parties().tenant.member) => {
    const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`
    const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
    __typename ... on ${type}Success { file { id name state deletedAt deletedBy { id } } } ... on Error { code message } } }`
    return (await parties().service.ask(who, query, { input })).data[mutation]
  }

  /** The actions in the audit log, the newest first. */
  const history = async (id: string): Promise<string[]> => {
    const { service, tenant } = parties()
    const query = 'query ($id: ID!) { auditLog(filter: { subjectId: $id }) { nodes { action } } }'
    const { data } = await service.ask(tenant.admin, query, { id })
    return data.auditLog.nodes.map((entry: Data) => entry.action)
  }

  const usage = async (of = parties().tenant) => {
    const query = '{ usage { fileCount trashedCount versionCount storedBytes reservedBytes } }'
    return (await parties().service.ask(of.viewer, query)).data.usage
  }

  return { names, change, history, usage }
}
