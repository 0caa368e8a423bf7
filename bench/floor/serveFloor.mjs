import { createServer } from 'node:http'
import { createAnswers } from './answers.mjs'
import { openTenantTransactions } from './tenantTransactions.mjs'

/*
 * The floor: the same answers to the same requests with nothing in between. No authentication (the tenant is read from
 * the API key and believed), no GraphQL (the operation's name decides), no limits, no log.
 */
const { databaseUrl, role, poolSize, bucket } = JSON.parse(process.argv[2])
const answers = await createAnswers(openTenantTransactions(databaseUrl, { size: poolSize, role }), bucket)

const callers = new Map()

function callerOf(authorization) {
  const known = callers.get(authorization)
  if (known) return known
  const ids = Buffer.from(authorization.slice('Bearer fgk_'.length, 'Bearer fgk_'.length + 43), 'base64url').toString(
    'hex',
  )
  const uuid = (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const caller = { tenantId: uuid(ids.slice(0, 32)), principalId: uuid(ids.slice(32)) }
  callers.set(authorization, caller)
  return caller
}

async function answer(request, text) {
  const { operationName, variables } = JSON.parse(text)
  return JSON.stringify({ data: await answers[operationName](callerOf(request.headers.authorization), variables) })
}

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (part) => (text += part))
  request.on('end', () => {
    answer(request, text).then(
      // Apollo ends its answers in a newline.
      (body) => send(response, 200, `${body}\n`),
      (error) => send(response, 500, JSON.stringify({ errors: [String(error)] })),
    )
  })
})

function send(response, status, body) {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': length }).end(body)
}

server.keepAliveTimeout = 72_000
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
