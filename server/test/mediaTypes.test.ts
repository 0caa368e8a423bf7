import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { starts } from '../src/domain/uploads/proof/testing/realStarts.ts'
import {
  askForIntent,
  commit,
  type Data,
  sendBytes,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})

afterAll(() => service.close())

const ask = async (query: string, variables: Record<string, unknown> = {}, who = tenant.viewer) => {
  const { data, errors } = await service.ask(who, query, variables)
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

const readType = async (id: string): Promise<Data> =>
  (await ask('query ($id: ID!) { file(id: $id) { contentType version { contentType } } }', { id })).file

const download = async (id: string, disposition = 'ATTACHMENT'): Promise<{ url: string; response: Response }> => {
  const query = 'query ($id: ID!, $how: Disposition!) { file(id: $id) { downloadUrl(disposition: $how) } }'
  const url = (await ask(query, { id, how: disposition })).file.downloadUrl
  return { url, response: await fetch(url) }
}

describe('the type of a file', () => {
  it('is the one that its bytes prove if the declared one was a guess, in the answer, the version and the audit log', async () => {
    const content = starts.windowsProgram
    const { uploadIntent } = await askForIntent(service, tenant.member, { name: 'notes.txt', content })
    await sendBytes(uploadIntent, content)
    const { file } = await commit(service, tenant.member, uploadIntent.id)
    const contentType = 'application/vnd.microsoft.portable-executable'
    expect(await readType(file.id)).toEqual({ contentType, version: { contentType } })
    const log = await ask(
      'query ($id: ID!) { auditLog(filter: { subjectId: $id }) { nodes { action payload } } }',
      { id: file.id },
      tenant.admin,
    )
    expect(log.auditLog.nodes[0]).toMatchObject({ action: 'file.uploaded', payload: { contentType } })
    const intent = await ask(
      'query ($id: ID!) { uploadIntent(id: $id) { contentType } }',
      { id: uploadIntent.id },
      tenant.member,
    )
    expect(intent.uploadIntent.contentType).toBe('text/plain')
  })

  it.each([
    ['report.pdf', starts.pdf, 'application/pdf'],
    ['photo', starts.jpeg, 'image/jpeg'],
    ['notes.md', '# notes', 'text/markdown'],
    ['data.unheardof', '\u0001\u0002', 'application/octet-stream'],
  ])(
    'is decided from name and bytes for %s, which browsers send with an empty type',
    async (name, content, contentType) => {
      const { uploadIntent } = await askForIntent(service, tenant.member, { name, content, contentType: '' })
      expect(uploadIntent.headers).toContainEqual({ name: 'content-type', value: 'application/octet-stream' })
      expect((await sendBytes(uploadIntent, content)).status).toBe(200)
      const { file } = await commit(service, tenant.member, uploadIntent.id)
      expect((await readType(file.id)).contentType).toBe(contentType)
    },
  )

  it('is the same for all its synonyms, and each of them finds the file', async () => {
    const some = await service.createTenant({ allowedContentTypes: ['application/zip', 'audio/x-wav'] })
    const content = starts.zip
    for (const contentType of ['application/zip', 'application/x-zip-compressed', 'application/x-zip']) {
      const file = await uploadFile(service, some.member, { name: 'a.zip', contentType, content })
      expect(file.contentType).toBe('application/zip')
    }
    const query = 'query ($prefix: String!) { files(filter: { contentTypePrefix: $prefix }) { nodes { id } } }'
    for (const prefix of ['application/x-zip-compressed', 'APPLICATION/ZIP', 'application', 'application/*', '*/*']) {
      expect((await ask(query, { prefix }, some.viewer)).files.nodes).toHaveLength(3)
    }
    expect((await ask(query, { prefix: 'image/*' }, some.viewer)).files.nodes).toHaveLength(0)
    for (const prefix of ['images', '/', 'im*ge', 'image//', '%']) {
      const { errors, status } = await service.ask(some.viewer, query, { prefix })
      expect([errors?.[0]?.extensions.code, status]).toEqual(['BAD_USER_INPUT', 400])
    }
  })

  it('keeps codecs and charset, which are served', async () => {
    const movie = await uploadFile(service, tenant.member, {
      name: 'a.webm',
      contentType: 'video/webm;codecs=vp9,opus',
      content: starts.webm,
    })
    expect(movie.contentType).toBe('video/webm; codecs="vp9,opus"')
    const shown = (await download(movie.id, 'INLINE')).response.headers
    expect(shown.get('content-type')).toBe('video/webm; codecs="vp9,opus"')
    expect(shown.get('content-disposition')).toMatch(/^inline/)
    const text = await uploadFile(service, tenant.member, {
      contentType: 'text/plain; charset=Shift_JIS',
      content: Buffer.from([0x93, 0xfa, 0x96, 0x7b]),
    })
    expect((await download(text.id, 'INLINE')).response.headers.get('content-type')).toBe(
      'text/plain; charset=shift_jis',
    )
    const hidden = await uploadFile(service, tenant.member, {
      contentType: 'text/plain; charset=utf-7',
      content: '+ADw-script+AD4-',
    })
    expect((await download(hidden.id, 'INLINE')).response.headers.get('content-disposition')).toMatch(/^attachment/)
  })
})

describe('a policy of allowed types', () => {
  const history = async (of: TestTenant, id: string) =>
    (
      await ask('query ($id: ID!) { auditLog(filter: { subjectId: $id }) { nodes { action } } }', { id }, of.admin)
    ).auditLog.nodes.map(({ action }: Data) => action)

  it('is applied to the proved type too, and a refusal leaves nothing behind', async () => {
    const texts = await service.createTenant({ allowedContentTypes: ['text/'] })
    const content = starts.windowsProgram
    const { uploadIntent } = await askForIntent(service, texts.member, { name: 'notes.txt', content })
    await sendBytes(uploadIntent, content)
    const refused = await commit(service, texts.member, uploadIntent.id)
    expect(refused).toMatchObject({
      __typename: 'ContentMismatchError',
      message: 'The content is application/vnd.microsoft.portable-executable, which this tenant does not accept.',
    })
    expect(await commit(service, texts.member, uploadIntent.id)).toEqual(refused)
    expect((await ask('{ files { nodes { id } } }', {}, texts.viewer)).files.nodes).toEqual([])
    expect((await ask('{ usage { storedBytes reservedBytes } }', {}, texts.viewer)).usage.storedBytes).toBe(0)
    expect(await history(texts, uploadIntent.id)).toEqual(['upload_intent.refused', 'upload_intent.created'])
  })

  it('accepts content that proves to be another allowed type', async () => {
    const images = await service.createTenant({ allowedContentTypes: ['image/'] })
    const file = await uploadFile(service, images.member, {
      name: 'IMG_1.jpg',
      contentType: 'image/jpeg',
      content: starts.heic,
    })
    expect(file.contentType).toBe('image/heic')
    const { uploadIntent } = await askForIntent(service, images.member, {
      name: 'a.png',
      contentType: '',
      content: starts.zip,
    })
    await sendBytes(uploadIntent, starts.zip)
    expect(await commit(service, images.member, uploadIntent.id)).toMatchObject({ code: 'CONTENT_MISMATCH' })
  })

  it('that allows unknown bytes stores them as such', async () => {
    const opaque = await service.createTenant({ allowedContentTypes: ['application/octet-stream'] })
    for (const content of [starts.png, starts.linuxProgram, 'text']) {
      const file = await uploadFile(service, opaque.member, { name: 'a.bin', contentType: '', content })
      expect(file.contentType).toBe('application/octet-stream')
    }
  })
})

describe('a name', () => {
  it.each([
    ['Japanese', `${'年'.repeat(251)}.pdf`],
    ['emoji', `${'🎉'.repeat(251)}.pdf`],
    ['Arabic with per cent signs', `${'ة%'.repeat(125)}.pdf`],
  ])('of 255 characters of %s is kept, and downloads fit the buffers of proxies', async (_script, name) => {
    const file = await uploadFile(service, tenant.member, { name, contentType: 'application/pdf', content: starts.pdf })
    expect(file.name).toBe(name)
    const { url, response } = await download(file.id)
    expect(response.status).toBe(200)
    expect(url.length).toBeLessThan(7_000)
    const header = response.headers.get('content-disposition') ?? ''
    expect(header.length).toBeLessThanOrEqual(2_560)
    const saved = decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(header)?.[1] ?? '')
    expect(saved.endsWith('.pdf')).toBe(true)
    if (!name.includes('🎉')) expect(saved).toBe(name)
  })

  it('of 256 characters is refused with the limit', async () => {
    expect(await askForIntent(service, tenant.member, { name: '年'.repeat(256) })).toMatchObject({
      __typename: 'ValidationError',
      message: 'The name may have at most 255 characters.',
    })
  })
})
