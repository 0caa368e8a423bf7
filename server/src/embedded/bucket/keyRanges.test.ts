import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findKeys } from './findKeys.ts'
import { escapeBytes, fileNameOf, keyBytes } from './keyFileName.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import { type IncomingFile, openObjectStore, type ObjectStore } from './objectStore.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'filegraph-bucket-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function receive(store: ObjectStore, key: string): Promise<IncomingFile<ObjectRecord>> {
  const content = Buffer.from(key)
  return store.receive<ObjectRecord>(async (write) => {
    await write(content)
    return { key, size: content.length, etag: 'e', modified: 0, headers: {}, metadata: {}, checksums: {} }
  })
}

const createOnly = { createOnly: true, ifMatch: undefined }

async function put(store: ObjectStore, key: string): Promise<void> {
  await store.publish(await receive(store, key), createOnly)
}

async function list(store: ObjectStore, prefix = '', maxKeys = 1000): Promise<string[]> {
  const keys: string[] = []
  for (let from: string | undefined = ''; from !== undefined;) {
    const page = await findKeys(store.ranges, { prefix: keyBytes(prefix), delimiter: '', from, maxKeys })
    keys.push(...page.objects.map(({ key }) => key))
    from = page.next
  }
  return keys
}

const inByteOrder = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
const ranges = () => readdirSync(join(directory, 'objects')).sort()
const namesIn = (range: string) => readdirSync(join(directory, 'objects', range))

/** In an order of its own: keys that share long starts, keys that do not, and some too long for a file name. */
function manyKeys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    if (index % 25 === 0) return `long/${'x'.repeat(400)}/${(index * 7919) % count}`
    return index % 3 === 0
      ? `org/${randomUUID()}`
      : `org/one/files/${String((index * 7919) % count).padStart(6, '0')}.pdf`
  })
}

describe('a directory of objects', () => {
  it('is split when it grows, and everything is still found and listed in order', async () => {
    const store = openObjectStore(directory, 50)
    const keys = manyKeys(400)
    for (let index = 0; index < keys.length; index += 50) {
      await Promise.all(keys.slice(index, index + 50).map((key) => put(store, key)))
    }
    expect(ranges().length).toBeGreaterThan(8)
    for (const range of ranges()) expect(namesIn(range).length).toBeLessThanOrEqual(50)
    expect(await list(store)).toEqual(inByteOrder(keys))
    for (const key of keys) expect(store.read(key)?.key).toBe(key)
    await expect(put(store, keys[0]!)).rejects.toMatchObject({ code: 'PreconditionFailed' })

    const again = openObjectStore(directory)
    expect(await list(again, 'org/one/')).toEqual(inByteOrder(keys.filter((key) => key.startsWith('org/one/'))))
    for (const key of keys) expect(again.read(key)?.key).toBe(key)
  })

  it('stays whole and keeps working while no boundary fits into a name', async () => {
    const store = openObjectStore(directory, 4)
    const keys = Array.from({ length: 10 }, (_, index) => `${'é'.repeat(200)}${index}`)
    for (const key of keys) await put(store, key)
    expect(ranges()).toEqual(['from-'])
    expect(await list(store)).toEqual(keys)
    await put(store, 'a')
    expect(await list(store)).toEqual(['a', ...keys])
  })

  it('whose split was interrupted by a crash is split completely at the next start', async () => {
    const store = openObjectStore(directory)
    const keys = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, '0')}`)
    for (const key of keys) await put(store, key)
    const unfinished = join(directory, 'objects', 'splitting-k10')
    mkdirSync(unfinished)
    for (const key of ['k10', 'k15']) renameSync(join(directory, 'objects', 'from-', key), join(unfinished, key))

    const again = openObjectStore(directory)
    expect(ranges()).toEqual(['from-', 'from-k10'])
    expect(namesIn('from-k10')).toHaveLength(10)
    expect(await list(again)).toEqual(keys)
    for (const key of keys) expect(again.read(key)?.key).toBe(key)
  })

  it('that was emptied is removed at the next start', async () => {
    const store = openObjectStore(directory)
    await put(store, 'a')
    mkdirSync(join(directory, 'objects', 'from-b'))
    const again = openObjectStore(directory)
    expect(ranges()).toEqual(['from-'])
    await put(again, 'c')
    expect(await list(again)).toEqual(['a', 'c'])
  })
})

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `k${String(index).padStart(4, '0')}`)

async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 50) await Promise.all(keys.slice(at, at + 50).map((key) => put(store, key)))
}

describe('a listing', () => {
  it('that began before a split and a deletion lists the rest, each once and in order', async () => {
    const store = openObjectStore(directory, 600)
    const keys = numbered(600)
    await putAll(store, keys)
    const added = await receive(store, 'k9999')
    // It reads some records at once and the others in turns with what comes now.
    const listing = findKeys(store.ranges, { prefix: '', delimiter: '', from: '', maxKeys: 1000 })
    const written = [store.publish(added, createOnly), store.remove(keys.slice(-50))]
    const { objects, next } = await listing
    await Promise.all(written)
    expect(ranges()).toHaveLength(2)
    expect(next).toBeUndefined()
    const listed = objects.map(({ key }) => key)
    expect(listed).toEqual(inByteOrder([...new Set(listed)]))
    expect(listed).toEqual(expect.arrayContaining(keys.slice(0, -50)))
    expect(await list(store)).toEqual([...keys.slice(0, -50), 'k9999'])
  })

  it('includes writes and deletes since the one before, by others too', async () => {
    const store = openObjectStore(directory)
    await putAll(store, numbered(5))
    expect(await list(store, '', 2)).toEqual(numbered(5))
    await store.remove(['k0001'])
    await put(store, 'k0001a')
    expect(await list(store, '', 2)).toEqual(['k0000', 'k0001a', 'k0002', 'k0003', 'k0004'])
    const range = join(directory, 'objects', 'from-')
    rmSync(join(range, 'k0003'))
    const elsewhere = openObjectStore(mkdtempSync(join(directory, 'elsewhere-')))
    renameSync((await receive(elsewhere, 'k0003a')).path, join(range, 'k0003a'))
    // The clock of a file system may tick but every few milliseconds.
    utimesSync(range, 1, 1)
    expect(await list(store, '', 2)).toEqual(['k0000', 'k0001a', 'k0002', 'k0003a', 'k0004'])
  })
})

describe('a key', () => {
  const wild = [
    '..',
    '.',
    '../../etc/passwd',
    '/etc/passwd',
    '//',
    '/',
    'a/../../b',
    'a\\..\\b',
    '\0',
    'a\0b',
    '~',
    'a~b',
    'con',
    'A',
    'a',
    '%2e%2e',
    '.DS_Store',
    'from-',
    'é',
    'e\u0301',
    '🎉'.repeat(250),
    'x'.repeat(1024),
    '\u0001'.repeat(1024),
    `${'x'.repeat(1023)}y`,
  ]

  it('never leaves the directory or the file of its object', async () => {
    const root = join(directory, 'deep', 'down')
    const store = openObjectStore(root)
    for (const key of wild) await put(store, key)
    for (const key of wild) expect(store.read(key)?.key).toBe(key)
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
      statSync(join(directory, path)).isFile(),
    )
    expect(files).toHaveLength(wild.length)
    for (const path of files) expect(path.startsWith(join('deep', 'down', 'objects', 'from-') + sep)).toBe(true)
    expect(await list(store)).toEqual(inByteOrder(wild))
    await store.remove(wild)
    expect(await list(store)).toEqual([])
  })

  it('that extends another one by a NUL follows it, on the next page too', async () => {
    const store = openObjectStore(directory)
    const keys = ['a', 'a\0', 'a\0\0', 'a\u0001', 'b']
    for (const key of keys) await put(store, key)
    expect(await list(store, 'a', 1)).toEqual(keys.slice(0, -1))
  })

  it('has a unique file name even if case, normal form and reserved characters are ignored', () => {
    const names = wild.map((key) => fileNameOf(keyBytes(key)))
    expect(new Set(names.map((name) => name.toLowerCase().normalize('NFC'))).size).toBe(wild.length)
    for (const name of names) expect(name).toMatch(/^(?!\.)[a-z0-9._%~-]{1,255}$/)
    expect(escapeBytes(keyBytes('org/A.pdf'))).toBe('org%2f%41.pdf')
  })
})
