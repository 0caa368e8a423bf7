import { product } from '../harness/serverPackage.mjs'
import { createSigner } from './signDownload.mjs'

const globalId = (type, id) => Buffer.from(`${type}:${id}`).toString('base64url')
const cursorOf = (...parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')
const placeAt = (cursor) => JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')).slice(1)
const idIn = (globalId_) => Buffer.from(globalId_, 'base64url').toString('utf8').split(':')[1]

const listed = `f.id, f.original_file_name, f.content_type, f.byte_size, f.uploaded_at, u.id, u.name`
const uploader = `join principals u on u.tenant_id = f.tenant_id and u.id = f.uploaded_by`
const bytes = `join file_versions v on v.tenant_id = f.tenant_id and v.file_id = f.id and v.version = f.current_version
  join blobs b on b.tenant_id = f.tenant_id and b.id = v.blob_id`

/** The statement of a page and what to bind; `$1` is the tenant. The page first, then what belongs to its rows. */
function pageStatement({ first, after, filter = {} }, withUrls) {
  const isTrash = filter.state === 'TRASHED'
  const sortedBy = isTrash ? 'f.soft_deleted_at' : 'f.uploaded_at'
  const params = []
  const bind = (value) => `$${params.push(value) + 1}`
  const conditions = [isTrash ? 'f.soft_deleted_at is not null and f.purged_at is null' : 'f.soft_deleted_at is null']
  if (filter.uploadedById) conditions.push(`f.uploaded_by = ${bind(idIn(filter.uploadedById))}`)
  if (filter.contentTypePrefix) {
    const { contentTypePrefix: from } = filter
    conditions.push(`f.media_class = ${bind(from.split('/')[0])} and f.content_type collate "C" >= ${bind(from)}`)
    conditions.push(`f.content_type collate "C" < ${bind(`${from}\u{10FFFF}`)}`)
  }
  if (after) conditions.push(`(${sortedBy}, f.id) < (${placeAt(after).map(bind).join(', ')})`)
  const columns = withUrls ? `${listed}, ${sortedBy}, b.object_key` : `${listed}, ${sortedBy}`
  const order = `order by ${sortedBy} desc, f.id desc`
  const page = `select * from files f where f.tenant_id = $1 and ${conditions.join(' and ')} ${order} limit ${bind(first + 1)}`
  const text = `select ${columns} from (${page}) f ${uploader} ${withUrls ? bytes : ''} where f.tenant_id = $1 ${order}`
  return { text, params, isTrash }
}

const auditPage = `select a.id, a.at, a.action, a.subject_type, a.subject_id, a.subject_name, a.payload, p.id, p.name
  from (select * from audit_log a where a.tenant_id = $1 order by a.at desc, a.id desc limit $2) a
  join principals p on p.tenant_id = a.tenant_id and p.id = a.actor_id
  where a.tenant_id = $1 order by a.at desc, a.id desc`

const nodeTypes = { file: 'File', upload_intent: 'UploadIntent', api_key: 'ApiKey', tenant: 'Tenant' }

/** The audit entry takes the name that the file has. */
const issue = `with file as (
    select f.original_file_name, f.content_type, f.current_version, b.object_key from files f ${bytes}
    where f.tenant_id = $1 and f.id = $2 and f.soft_deleted_at is null
  ), noted as (
    select record_changes($4::uuid, '{}'::jsonb, $3::timestamptz, jsonb_build_array(jsonb_build_object(
      'event', uuidv7(), 'entry', uuidv7(), 'type', 'file.download_url_issued', 'subjectType', 'file', 'subjectId', $2::uuid,
      'name', original_file_name, 'payload', jsonb_build_object('version', current_version, 'disposition', 'ATTACHMENT',
      'expiresAt', $5::text))), '{}'::jsonb) from file
  ) select file.* from file, noted`

/** The answer to each operation of the benchmark, by its name: what the product answers, from as little as it takes. */
export async function createAnswers(inTenant, bucket) {
  const { contentDisposition, servedContentType } = await product('domain/files/downloadHeaders.js')
  const sign = createSigner(bucket)
  const served = new Map()
  const servedAs = (contentType) => {
    if (!served.has(contentType)) served.set(contentType, servedContentType(contentType).contentType)
    return served.get(contentType)
  }
  const isPlain = /^[\x20-\x7e]+$/
  const urlOf = (name, contentType, key, now) => {
    const isAscii = isPlain.test(name) && !/["%\\/]/.test(name)
    const disposition = isAscii ? `attachment; filename="${name}"` : contentDisposition('attachment', name)
    return sign(key, disposition, servedAs(contentType), now)
  }

  async function list(caller, variables, withUrls) {
    const { text, params, isTrash } = pageStatement(variables, withUrls)
    const rows = await inTenant('begin read only', caller.tenantId, text, [caller.tenantId, ...params])
    const now = new Date()
    const page = rows.slice(0, variables.first)
    const edges = page.map(([id, name, contentType, byteSize, at, uploaderId, uploaderName, , key]) => {
      const node = {
        id: globalId('File', id),
        name,
        contentType,
        byteSize: Number(byteSize),
        uploadedAt: at,
        uploadedBy: { id: globalId('Principal', uploaderId), name: uploaderName },
      }
      if (withUrls) node.downloadUrl = isTrash ? null : urlOf(name, contentType, key, now)
      return { node }
    })
    const last = page.at(-1)
    const endCursor = last ? cursorOf(isTrash ? 'trash' : 'files', last[7], last[0]) : null
    return { files: { edges, pageInfo: { hasNextPage: rows.length > page.length, endCursor } } }
  }

  return {
    ListFiles: (caller, variables) => list(caller, variables, true),
    ListNames: (caller, variables) => list(caller, variables, false),

    async ListAudit({ tenantId }, { first }) {
      const rows = await inTenant('begin read only', tenantId, auditPage, [tenantId, first + 1])
      const page = rows.slice(0, first)
      const edges = page.map(([id, at, action, type, subjectId, subjectName, payload, actorId, actorName]) => ({
        node: {
          id: globalId('AuditEntry', id),
          at,
          action,
          actor: { id: globalId('Principal', actorId), name: actorName },
          subject: { id: globalId(nodeTypes[type] ?? type, subjectId), name: subjectName },
          payload,
        },
      }))
      const last = page.at(-1)
      const endCursor = last ? cursorOf('auditLog', last[1], last[0]) : null
      return { auditLog: { edges, pageInfo: { hasNextPage: rows.length > first, endCursor } } }
    },

    async IssueUrl({ tenantId, principalId }, { input }) {
      const now = new Date()
      const expiresAt = new Date(now.getTime() + 600_000).toISOString()
      const id = idIn(input.id)
      const [[name, contentType, , key]] = await inTenant('begin', tenantId, issue, [
        tenantId,
        id,
        now,
        principalId,
        expiresAt,
      ])
      const url = urlOf(name, contentType, key, now)
      return { issueDownloadUrl: { url, expiresAt, file: { id: input.id, name } } }
    },
  }
}
