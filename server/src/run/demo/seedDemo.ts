import type { Context } from '../../domain/context.ts'
import { attachFile } from '../../domain/files/attachments/attachments.ts'
import { deleteFile } from '../../domain/files/changeFile.ts'
import { createUser, findUser } from '../../domain/identity/people/createUser.ts'
import { listTenantsOfUser } from '../../domain/identity/people/listTenantsOf.ts'
import { Conflict } from '../../domain/refusals.ts'
import { createTenant, type Tenant, listTenants } from '../../domain/tenants/createTenant.ts'
import { commitUpload } from '../../domain/uploads/commitUpload.ts'
import { createUploadIntent, signUpload } from '../../domain/uploads/intents/createUploadIntent.ts'
import type { Upload } from '../../domain/uploads/intents/findUploads.ts'
import type { DemoFile } from './demoFiles.ts'
import { type DemoTenant, demoPassword, demoQuotaBytes, demoTenants, lastMember } from './demoPeople.ts'

type DemoBackends = Pick<Context, 'database' | 'blobs' | 'now'>

/**
 * Fills an empty installation with two tenants, their users and some files, uploaded as any client uploads them. Does
 * nothing if only other tenants exist. A repeated call keeps what exists and adds the rest, so it can continue after a
 * crash. Returns true if the demo exists.
 */
export async function seedDemo(backends: DemoBackends): Promise<boolean> {
  const tenants = await listTenants(backends)
  if (await isSeeded(backends, tenants)) return true
  const isBegun = tenants.some(isOfTheDemo)
  const others = tenants.filter((tenant) => !isOfTheDemo(tenant))
  // The demo's password is public. No demo user may be added to a real tenant that has the same slug.
  const isInTheWay = others.some((tenant) => demoTenants.some(({ slug }) => slug === tenant.slug))
  if (isInTheWay || (others.length > 0 && !isBegun)) return false
  for (const tenant of demoTenants) await seedTenant(backends, tenant)
  await ensureMember(backends, lastMember)
  return true
}

async function isSeeded(backends: DemoBackends, tenants: readonly Tenant[]): Promise<boolean> {
  if (!demoTenants.every(({ slug }) => tenants.some((tenant) => tenant.slug === slug && isOfTheDemo(tenant)))) {
    return false
  }
  const last = await findUser(backends.database, lastMember.email)
  if (!last) return false
  const memberships = await listTenantsOfUser(backends, last.id)
  return memberships.some(({ slug }) => slug === lastMember.tenantSlug)
}

function isOfTheDemo(tenant: Tenant): boolean {
  return (
    tenant.quotaBytes === demoQuotaBytes &&
    demoTenants.some(({ slug, name }) => slug === tenant.slug && name === tenant.name)
  )
}

async function seedTenant(backends: DemoBackends, { slug, name, members, files }: DemoTenant): Promise<void> {
  await createTenant(backends, { slug, name, policy: { quotaBytes: demoQuotaBytes } }).catch(ignoreConflict)
  const tenant = (await listTenants(backends)).find((each) => each.slug === slug)
  if (!tenant) throw new Error(`The demo tenant ${slug} vanished`)
  const contexts = new Map<string, Context>()
  for (const { role, ...person } of members) {
    const id = await ensureMember(backends, { ...person, role, tenantSlug: slug })
    contexts.set(person.email, contextOf(backends, { tenantId: tenant.id, id, role, ...person }))
  }
  const contextFor = (email: string) => {
    const ctx = contexts.get(email)
    if (!ctx) throw new Error(`${email} is not a member of the demo tenant ${slug}`)
    return ctx
  }
  const fileIds = new Map<string, string>()
  for (const file of files()) {
    const target = file.newVersionOf === undefined ? null : (fileIds.get(file.newVersionOf) ?? null)
    const fileId = await uploadDemoFile(contextFor(file.by), file, target)
    fileIds.set(file.key, fileId)
    if (file.attachedTo) await attachFile(contextFor(file.by), fileId, file.attachedTo)
    if (file.thenDeletedBy !== undefined) await deleteFile(contextFor(file.thenDeletedBy), fileId)
  }
}

/** Returns the id of the user, who can exist already. */
async function ensureMember(
  backends: DemoBackends,
  member: Omit<Parameters<typeof createUser>[1], 'password'>,
): Promise<string> {
  await createUser(backends, { ...member, password: demoPassword }).catch(ignoreConflict)
  const user = await findUser(backends.database, member.email)
  if (!user) throw new Error(`The demo user ${member.email} vanished`)
  return user.id
}

function contextOf(
  backends: DemoBackends,
  { tenantId, id, ...person }: { tenantId: string; id: string } & Pick<Context['principal'], 'email' | 'name' | 'role'>,
): Context {
  const origin = { requestId: null, address: null, userAgent: 'Filegraph demo' }
  return { ...backends, origin, principal: { tenantId, id, kind: 'USER', subject: id, ...person } }
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof Conflict)) throw error
}

/** An intent of an interrupted attempt can have expired. The next attempt uses a new key. */
const attempts = 20

/** Uploads one file and returns its id. If it was uploaded before, returns the id of that file. */
async function uploadDemoFile(ctx: Context, file: DemoFile, fileId: string | null): Promise<string> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const intent = await createUploadIntent(ctx, {
      name: file.name,
      contentType: file.contentType,
      byteSize: file.content.length,
      sha256: null,
      retention: null,
      fileId,
      idempotencyKey: `${file.key}-${attempt}`,
    })
    if (intent.state === 'COMMITTED' && intent.fileId !== null) return intent.fileId
    const isOver = intent.state !== 'PENDING' || intent.expiresAt <= ctx.now()
    if (!isOver) return sendAndCommit(ctx, intent, file.content)
  }
  throw new Error(`The demo file ${file.name} could not be sent`)
}

async function sendAndCommit(ctx: Context, intent: Upload, content: Buffer): Promise<string> {
  const signed = await signUpload(ctx, intent)
  if (!signed) throw new Error(`The upload intent ${intent.id} cannot be signed`)
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  const answer = await fetch(signed.url, { method: signed.method, headers, body: new Uint8Array(content) })
  await answer.arrayBuffer()
  // 412: the bytes arrived before a crash. The commit verifies them.
  if (!answer.ok && answer.status !== 412) throw new Error(`The bucket answered ${answer.status} to a demo file`)
  const { file } = await commitUpload(ctx, intent.id)
  return file.id
}
