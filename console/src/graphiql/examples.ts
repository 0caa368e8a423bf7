const hint = `# You ask as the person who is signed in.
# To ask with an API key, put under "Headers":
#   { "authorization": "Bearer fgk_…" }
# To ask in another tenant of yours:
#   { "x-filegraph-tenant": "acme" }
`

const listFiles = `${hint}
query ListFiles($first: Int = 10, $after: String) {
  files(first: $first, after: $after) {
    nodes {
      id
      name
      byteSize
      uploadedAt
      uploadedBy {
        name
      }
      # Signed for this answer, and good for ten minutes.
      downloadUrl
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`

const upload = `# An upload has three steps.
# 1. Announce the file. The answer says which request sends the bytes.
mutation Announce {
  createUploadIntent(input: { name: "hello.txt", contentType: "text/plain", byteSize: 5 }) {
    ... on CreateUploadIntentSuccess {
      uploadIntent {
        id
        method
        url
        headers {
          name
          value
        }
      }
    }
    ... on Error {
      code
      message
    }
  }
}

# 2. Send the bytes to the bucket, with every header of the answer:
#      curl -X PUT -H 'content-type: text/plain' -H 'if-none-match: *' --data-raw hello '<url>'
#    or, in a program: fetch(url, { method, headers, body })

# 3. Commit. Until the bytes are there the answer is UPLOAD_INCOMPLETE.
mutation Commit($id: ID!) {
  commitUpload(input: { id: $id }) {
    ... on CommitUploadSuccess {
      file {
        id
        name
        downloadUrl
      }
    }
    ... on Error {
      code
      message
    }
  }
}
`

const auditLog = `# Who did what to what. Administrators and owners may ask.
query AuditLog($action: String) {
  auditLog(first: 20, filter: { action: $action }) {
    nodes {
      at
      actor {
        name
      }
      action
      subject {
        type
        name
      }
      payload
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`

/** The tabs of somebody who opens GraphiQL for the first time. */
export const examples = [
  { query: listFiles, variables: '{ "first": 10 }' },
  { query: upload, variables: '{ "id": "the id of the intent" }' },
  { query: auditLog },
]
