import type { Data, TestService, TestTenant } from './testService.ts'

/** What tests of the lives of files and uploads ask a service and its tenant, once both are there. */
export function questionsOf(parties: () => { readonly service: TestService; readonly tenant: TestTenant }) {
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
