/*
 * What frontends ask. The operation's name also tells the floor what to answer.
 */
const fileFields = 'id name contentType byteSize uploadedAt uploadedBy { id name }'
const pageOf = (fields) => `edges { node { ${fields} } } pageInfo { hasNextPage endCursor }`
const listOf = (name, fields) => `query ${name}($first: Int, $after: String, $filter: FileFilter) {
  files(first: $first, after: $after, filter: $filter) { ${pageOf(fields)} }
}`

const operations = {
  ListFiles: listOf('ListFiles', `${fileFields} downloadUrl`),
  ListNames: listOf('ListNames', fileFields),
  ListAudit: `query ListAudit($first: Int) { auditLog(first: $first) {
    ${pageOf('id at action actor { id name } subject { id name } payload')}
  } }`,
  IssueUrl: `mutation IssueUrl($input: IssueDownloadUrlInput!) { issueDownloadUrl(input: $input) {
    ... on IssueDownloadUrlSuccess { url expiresAt file { id name } }
  } }`,
  CreateIntent: `mutation CreateIntent($input: CreateUploadIntentInput!) { createUploadIntent(input: $input) {
    ... on CreateUploadIntentSuccess { uploadIntent { id url headers { name value } } }
  } }`,
  Commit: `mutation Commit($input: CommitUploadInput!) { commitUpload(input: $input) {
    ... on CommitUploadSuccess { file { id name } }
  } }`,
}

/** A request to `/graphql` in the name of a tenant. */
export function requestOf(tenant, operationName, variables) {
  const body = JSON.stringify({ operationName, query: operations[operationName], variables })
  return { name: operationName, key: tenant.key, body }
}
