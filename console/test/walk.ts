import { readFile } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'

const bytes = Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n')
const password = 'filegraph-demo'

interface Names {
  readonly fileName: string
  readonly newName: string
}

/**
 * Uploads, lists, downloads, renames, deletes, restores and purges a file, and checks the audit log. `label` is part of the file's
 * name, so that the walk can be repeated.
 */
export async function walk(page: Page, baseUrl: string, label: string): Promise<void> {
  const names = { fileName: `Résumé “final” 你好 100% 🎉 ${label}.pdf`, newName: `Résumé “accepted” سيرة ${label}.pdf` }
  await signIn(page, baseUrl, 'ada@acme.example')
  await upload(page, names.fileName)
  await download(page, names.fileName)
  await rename(page, names)
  await deleteAndUndo(page, names)
  await deleteAndRestore(page, names)
  await purge(page, names)
  await readAuditLog(page, names)
  await signOut(page)
  await signIn(page, baseUrl, 'hugo@globex.example')
  await seeNothingOfIt(page)
}

export async function signIn(page: Page, baseUrl: string, email: string): Promise<void> {
  await page.goto(baseUrl)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Files', exact: true }).waitFor()
  await page.getByRole('table', { name: 'Files' }).waitFor()
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('E-mail').waitFor()
}

export const rowOf = (page: Page, name: string): Locator => page.getByRole('row').filter({ hasText: name })

export async function upload(page: Page, name: string) {
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await (await chooser).setFiles({ name, mimeType: 'application/pdf', buffer: bytes })
  await page.getByRole('region', { name: 'Uploads' }).getByText('1 file uploaded').waitFor()
  await page.getByRole('button', { name: 'Close the list of uploads' }).click()
  await rowOf(page, name).waitFor()
}

/** Downloads the file, compares its bytes, and returns its signed URL. */
export async function download(page: Page, fileName: string): Promise<string> {
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name: `Download ${isolate(fileName)}` }).click()
  const saved = await started
  expect(saved.suggestedFilename()).toBe(fileName)
  expect(await readFile(await saved.path())).toEqual(bytes)
  return saved.url()
}

async function rename(page: Page, { fileName, newName }: Names) {
  await choose(page, fileName, 'Rename')
  const field = page.getByRole('dialog').getByLabel('Name')
  await field.fill('a/b.pdf')
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('dialog').locator('.field-error').waitFor()
  await field.fill(newName)
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await rowOf(page, newName).waitFor()
}

async function deleteAndUndo(page: Page, { newName }: Names) {
  await choose(page, newName, 'Delete')
  await rowOf(page, newName).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).click()
  await rowOf(page, newName).waitFor()
}

async function deleteAndRestore(page: Page, { newName }: Names) {
  await choose(page, newName, 'Delete')
  await rowOf(page, newName).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('heading', { name: 'Trash', exact: true }).waitFor()
  await page.getByRole('button', { name: `Restore ${isolate(newName)}` }).click()
  await rowOf(page, newName).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Files' }).click()
  await rowOf(page, newName).waitFor()
}

async function purge(page: Page, { newName }: Names) {
  await choose(page, newName, 'Delete')
  await page.getByRole('link', { name: 'Trash' }).click()
  await choose(page, newName, 'Delete forever')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete forever' }).click()
  await rowOf(page, newName).waitFor({ state: 'detached' })
}

async function readAuditLog(page: Page, { fileName, newName }: Names) {
  await page.getByRole('link', { name: 'Audit log' }).click()
  const log = page.getByRole('table', { name: 'Audit log' })
  await log.waitFor()
  // Only rows near the view are in the document, and other walks add entries at the same time.
  await page.setViewportSize({ width: 1280, height: 4000 })
  for (const sentence of [
    `Ada Lindqvist deleted “${newName}” forever`,
    `Ada Lindqvist restored “${newName}” from the trash`,
    `Ada Lindqvist moved “${newName}” to the trash`,
    `Ada Lindqvist renamed “${fileName}” to “${newName}”`,
    `Ada Lindqvist got a download link for “${fileName}”`,
    `Ada Lindqvist uploaded “${fileName}”`,
  ]) {
    await log.getByText(sentence).first().waitFor()
  }
  await page.setViewportSize({ width: 1280, height: 800 })
}

async function seeNothingOfIt(page: Page) {
  for (const name of ['Files', 'Trash', 'Audit log', 'Cleanup']) {
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.waitForLoadState('networkidle')
    expect(await page.getByText('Résumé').count()).toBe(0)
  }
  await page.goto(new URL('/t/acme/files', page.url()).href)
  await page.getByText('No such workspace, or no access').waitFor()
}

export async function choose(page: Page, name: string, item: string) {
  await page.getByRole('button', { name: `More for ${isolate(name)}` }).click()
  await page.getByRole('menuitem', { name: item }).click()
}
