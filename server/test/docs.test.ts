import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examples } from '../../console/src/graphiql/examples.ts'
import { evaluate, exampleIn } from './documentExample.ts'
import { type Data, startTestService, type TestService, type TestTenant } from './testService.ts'

const example = (name: string) => exampleIn('docs/uploading.md', name)

/** Loaded without its types, which would bring those of the browser into the whole server. */
interface UppyLike {
  addFile(file: object): void
  upload(): Promise<{ failed?: unknown[]; successful?: { response?: { body?: unknown } }[] } | undefined>
}
const uppyPackage: string = '@uppy/core'
const { default: Uppy } = (await import(uppyPackage)) as { default: new () => UppyLike }

type Gql = (query: string, variables: Record<string, unknown>) => Promise<Data>
type Upload = (gql: Gql, file: File) => Promise<Data>

let service: TestService
let tenant: TestTenant
let gql: Gql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  gql = async (query, variables) => {
    const { data, errors } = await service.ask(tenant.member, query, variables)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
})
afterAll(() => service.close())

/** `fetch` whose first PUT arrives and whose answer is lost, after which the client sends it again. */
const losingOneAnswer: typeof fetch = async (input, init) => {
  await fetch(input, init)
  const again = await fetch(input, init)
  expect(again.status).toBe(412)
  return again
}

const uploadWith = (fetchIt: typeof fetch) => evaluate(example('browser'), 'upload', { fetch: fetchIt }) as Upload

describe('docs/uploading.md', () => {
  it.each([
    ['report.pdf', 'application/pdf', '%PDF-1.4 text'],
    ['données 数据.xyz', '', 'anything'],
    ['notes', '', ''],
  ])('uploads %s of type "%s"', async (name, type, content) => {
    const file = await uploadWith(fetch)(gql, new File([content], name, { type }))
    expect(file).toMatchObject({
      name,
      byteSize: Buffer.byteLength(content),
      contentType: expect.stringMatching(/.\/./),
    })
  })

  it('uploads after the response to the PUT was lost and its repetition got 412', async () => {
    expect(
      await uploadWith(losingOneAnswer)(gql, new File(['bytes'], 'lost.txt', { type: 'text/plain' })),
    ).toMatchObject({
      name: 'lost.txt',
    })
  })

  it('reports why a file is refused', async () => {
    const nameless = new File(['x'], '..', { type: 'text/plain' })
    await expect(uploadWith(fetch)(gql, nameless)).rejects.toThrow(/name/i)
  })

  it('uploads a file from disk in Node', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filegraph-docs-'))
    const path = join(folder, 'from disk.bin')
    writeFileSync(path, Buffer.alloc(100_000, 7))
    const { openAsBlob } = await import('node:fs')
    const { basename } = await import('node:path')
    const scope = { upload: uploadWith(fetch), openAsBlob, basename }
    const uploadFromDisk = evaluate(example('node'), 'uploadFromDisk', scope) as (
      gql: Gql,
      path: string,
    ) => Promise<Data>
    expect(await uploadFromDisk(gql, path)).toMatchObject({ name: 'from disk.bin', byteSize: 100_000 })
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['a PUT that is answered', fetch],
    ['a PUT whose answer was lost', losingOneAnswer],
  ])('uploads with Uppy 6: %s', async (_, fetchIt) => {
    const uppy = new Uppy()
    const scope = { upload: uploadWith(fetchIt) }
    const uploadWithFilegraph = evaluate(example('uppy'), 'uploadWithFilegraph', scope) as (
      uppy: UppyLike,
      gql: Gql,
    ) => void
    uploadWithFilegraph(uppy, gql)
    uppy.addFile({ name: 'of uppy.unknown', type: '', data: new Blob(['from uppy']) })
    const result = await uppy.upload()
    expect(result?.failed).toEqual([])
    expect(result?.successful?.map((file) => file.response?.body)).toMatchObject([{ name: 'of uppy.unknown' }])
  })
})

describe('the examples of GraphiQL', () => {
  it('upload a file in the described steps, with the described headers', async () => {
    const upload = examples[1]?.query ?? ''
    const announced = await service.ask(tenant.member, upload, undefined, 'Announce')
    const intent = announced.data['createUploadIntent'].uploadIntent
    const [, curl = ''] = /# +(curl .*'<url>')/.exec(upload) ?? []
    const headers = [...curl.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name = '', value = '']) => [name, value])
    expect(headers).toEqual(intent['headers'].map(({ name, value }: Data) => [name, value]))
    const [, body = ''] = /--data-raw (\w+)/.exec(curl) ?? []
    expect((await fetch(intent['url'], { method: 'PUT', headers: Object.fromEntries(headers), body })).status).toBe(200)
    const committed = await service.ask(tenant.member, upload, { id: intent['id'] }, 'Commit')
    expect(committed.data['commitUpload'].file).toMatchObject({ name: 'hello.txt', downloadUrl: expect.any(String) })
  })

  it('run without an error', async () => {
    for (const { query, variables } of [examples[0], examples[2]].flatMap((each) => each ?? [])) {
      expect(parse(query).definitions.length).toBeGreaterThan(0)
      const { errors } = await service.ask(tenant.owner, query, variables ? JSON.parse(variables) : {})
      expect(errors).toBeUndefined()
    }
  })
})
