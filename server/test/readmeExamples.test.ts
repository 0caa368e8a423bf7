import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { GetBucketCorsCommand } from '@aws-sdk/client-s3'
import { SignJWT } from 'jose'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../src/config/config.ts'
import { authenticateToken, createTokenVerifier } from '../src/domain/identity/authenticate/token.ts'
import { applyCors } from '../src/storage/s3/applyCors.ts'
import { createS3Client } from '../src/storage/s3/s3Client.ts'
import { BuiltProduct } from './costs/builtProduct.ts'
import { exampleIn } from './documentExample.ts'
import { type HostApplication, startHostApplication } from './hostApplication.ts'
import { startTestBucket } from './testBucket.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const repository = fileURLToPath(new URL('../..', import.meta.url))
const example = (name: string) => exampleIn('README.md', name)

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})
afterAll(() => service.close())

const AsyncFunction = (async () => undefined).constructor as FunctionConstructor

const run: Record<string, () => Promise<void>> = {
  curl: async () => {
    const product = new BuiltProduct()
    await product.start()
    try {
      const script = example('curl').replace('http://localhost:4000', product.url)
      expect(script).toContain(product.url)
      const said = await new Promise<string>((resolve, reject) => {
        const options = { cwd: repository, env: product.environment() }
        execFile('bash', ['--norc', '-euc', script], options, (error, stdout, stderr) =>
          error || stderr ? reject(new Error(`${stdout}\n${stderr}`, { cause: error })) : resolve(stdout),
        )
      })
      expect(said).toBe('Hello from curl\n{"data":{"deleteFile":{"file":{"name":"hello.txt","state":"TRASHED"}}}}\n')
    } finally {
      await product.close()
    }
  },

  announce: async () => {
    const { data } = await service.ask(tenant.member, example('announce'))
    expect(data.createUploadIntent.uploadIntent).toMatchObject({ method: 'PUT', url: expect.stringMatching(/^http/) })
  },

  send: async () => {
    const announce = `mutation ($size: ByteSize!) {
      createUploadIntent(input: { name: "cat.png", contentType: "image/png", byteSize: $size }) {
        ... on CreateUploadIntentSuccess { uploadIntent { id method url headers { name value } } } } }`
    const file = new File(['no picture'], 'cat.png')
    const { data } = await service.ask(tenant.member, announce, { size: file.size })
    const { uploadIntent } = data.createUploadIntent
    await AsyncFunction('uploadIntent', 'file', example('send'))(uploadIntent, file)
    const committed = await service.ask(tenant.member, example('commit-and-list'), { id: uploadIntent.id }, 'Commit')
    expect(committed.data.commitUpload.file).toMatchObject({ name: 'cat.png', version: { number: 1 } })
  },

  'commit-and-list': async () => {
    await uploadFile(service, tenant.member, { name: 'dog.png', contentType: 'image/png' })
    const { data } = await service.ask(tenant.viewer, example('commit-and-list'), {}, 'Newest')
    expect(data.files.nodes.map((file: Data) => file.name)).toContain('dog.png')
  },

  token: async () => {
    const secret = 'a secret of at least thirty-two bytes'
    const body = example('token')
      .replace(/^import .*$/m, '')
      .replaceAll("'acme'", JSON.stringify(tenant.slug))
    const token = (await AsyncFunction('SignJWT', 'secret', `${body}; return token`)(SignJWT, secret)) as string
    const { jwt } = readConfig({
      JWT_SECRET: secret,
      JWT_ISSUER: 'https://id.example.com/',
      JWT_AUDIENCE: 'filegraph',
    })
    if (!jwt) throw new Error('Tokens are not accepted')
    const services = { database: service.database, now: () => new Date(), verifyToken: createTokenVerifier(jwt) }
    expect(await authenticateToken(services, jwt.claims, token)).toMatchObject({
      tenantId: tenant.id,
      subject: 'user-7',
      role: 'MEMBER',
      name: 'Ada Lovelace',
    })
  },

  'external-database': async () => {
    expect(readConfig(variablesOf('external-database')).database).not.toBeNull()
  },
  'bucket-r2': async () => {
    expect(readConfig(variablesOf('bucket-r2')).bucket).toMatchObject({ region: 'auto', bucket: 'files' })
  },
  'bucket-aws': async () => {
    expect(readConfig(variablesOf('bucket-aws')).bucket).toMatchObject({
      region: 'eu-central-1',
      forcePathStyle: false,
    })
  },
  'on-a-network': async () => {
    expect(readConfig(variablesOf('on-a-network')).http.host).toBe('0.0.0.0')
  },
  'behind-a-proxy': async () => {
    const { http } = readConfig(variablesOf('behind-a-proxy'))
    expect(http).toMatchObject({ trustProxy: true, publicUrl: 'https://files.example.com' })
  },

  'cors-rule': async () => {
    const bucket = await startTestBucket(() => new Date())
    await applyCors(bucket.options, ['https://files.example.com'])
    const client = createS3Client(bucket.options)
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket: bucket.options.bucket }))
    client.destroy()
    await bucket.close()
    expect(CORSRules).toEqual(
      JSON.parse(example('cors-rule')).map((rule: object) => ({ ID: expect.any(String), ...rule })),
    )
  },
}

/** By readmeAttachments.test.ts. */
const runElsewhere = ['attach-graphql', 'attach-grant', 'attach-sql', 'attach-drizzle']

/** The assignments before a command, as a shell reads them. */
function variablesOf(name: string): Record<string, string> {
  const text = example(name).replaceAll('…', 'x').replaceAll('<account>', 'account')
  return Object.fromEntries(
    [...text.matchAll(/([A-Z][A-Z0-9_]+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]),
  )
}

describe('every code block of the README', () => {
  it('is run, or says why not', () => {
    const blocks = [...readme.matchAll(/^(.*)\n(```\w*)\n[\s\S]*?\n```$/gm)]
    expect(blocks.length).toBe((readme.match(/^```/gm)?.length ?? 0) / 2)
    const named = blocks.flatMap(([, before = '']) => /^<!-- ([\w-]+):start -->$/.exec(before)?.[1] ?? [])
    const others = blocks.filter(([, before = '']) => !/^<!-- ([\w-]+:start|not run.*: .{10,}) -->$/.test(before))
    expect(others.map(([block]) => block)).toEqual([])
    expect(named.toSorted()).toEqual([...Object.keys(run), ...runElsewhere].toSorted())
  })

  it.each(Object.entries(run))('does what it shows: %s', { timeout: 120_000 }, (_name, work) => work())
})

describe('the SQLSTATEs of the functions', () => {
  let host: HostApplication
  let stranger: postgres.Sql
  let fileId: string
  let trashedId: string

  beforeAll(async () => {
    host = await startHostApplication(service)
    const administrator = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    await administrator.unsafe("create role readme_stranger login password 'test'")
    await administrator.end()
    const url = Object.assign(new URL(host.url), { username: 'readme_stranger', password: 'test' }).href
    stranger = postgres(url, { max: 1, onnotice: () => undefined })
    fileId = (await uploadFile(service, tenant.member)).id
    trashedId = (await uploadFile(service, tenant.member)).id
    await service.ask(tenant.member, `mutation { deleteFile(input: { id: "${trashedId}" }) { __typename } }`)
  })
  afterAll(async () => {
    await stranger.end()
    await host.close()
    const administrator = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    await administrator.unsafe('drop role readme_stranger')
    await administrator.end()
  })

  const attach = (id: string, ownerId = '1') =>
    host.inTenant(tenant.id, (tx) => tx`select filegraph.attach_file(${id}, 'invoice', ${ownerId}, 'scan')`)

  const provoke: Record<string, () => Promise<unknown>> = {
    P0002: () => attach('no id of a file'),
    '55000': () => attach(trashedId),
    '22023': () => attach(fileId, 'a\nb'),
    '22004': async () => host.sql`select filegraph.set_tenant(null)`,
    '22P02': async () => host.sql`select filegraph.set_tenant(${tenant.slug})`,
    '42501': async () => stranger`select filegraph.set_tenant(${tenant.id})`,
    '40001': () =>
      host.sql.begin('isolation level repeatable read', async (tx) => {
        await tx`select filegraph.set_tenant(${tenant.id})`
        await tx`select count(*) from shop.invoices`
        await attach(fileId, 'first')
        await tx`select filegraph.attach_file(${fileId}, 'invoice', 'second', 'scan')`
      }),
  }

  const told = [...readme.matchAll(/^\| (`[0-9A-Z]{5}`(?:, `[0-9A-Z]{5}`)*) \|/gm)].flatMap(([, codes = '']) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
  )

  it('are in the README, and each can be provoked', async () => {
    // A deadlock needs two that lock in opposite order, which `lockOrder.test.ts` tries.
    expect(told).toEqual([...told].filter((code) => code in provoke || code === '40P01'))
    expect(Object.keys(provoke).filter((code) => !told.includes(code))).toEqual([])
  })

  it.each(Object.entries(provoke))('%s', async (code, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code })
  })

  it('55000 also means a transaction without a tenant', async () => {
    const attempt = host.sql`select filegraph.attach_file(${fileId}, 'invoice', '1', 'scan')`
    await expect(attempt).rejects.toMatchObject({ code: '55000' })
  })

  it('the tenant is set by its databaseId', async () => {
    const { data } = await service.ask(tenant.viewer, '{ tenant { databaseId } }')
    await host.inTenant(data.tenant.databaseId, (tx) => tx`select filegraph.attach_file(${fileId}, 'invoice', '7')`)
    expect(data.tenant.databaseId).toBe(tenant.id)
  })
})
