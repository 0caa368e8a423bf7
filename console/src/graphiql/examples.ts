const hint = `# Requests are sent as the signed-in person.
# To use an API key, add under "Headers":
#   { "authorization": "Bearer fgk_…" }
# To query another of your tenants:
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
      # Signed for this response, and valid for ten minutes.
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
# 1. Announce the file. The response describes the request that sends the bytes.
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

# 2. Send the bytes to the bucket, with every header of the response:
#      curl -X PUT -H 'content-type: text/plain' -H 'if-none-match: *' --data-raw hello '<url>'
#    or, in a program: fetch(url, { method, headers, body })

# 3. Commit. Returns UPLOAD_INCOMPLETE before the bytes have arrived.
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

const auditLog = `# Who did what to what. For administrators and owners.
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

/** The tabs that GraphiQL shows on the first visit. */
export const examples = [
  { query: listFiles, variables: '{ "first": 10 }' },
  { query: upload, variables: '{ "id": "the id of the intent" }' },
  { query: auditLog },
]
