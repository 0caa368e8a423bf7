import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { ask, mutate } from './askInPage.ts'
import { choose, rowOf, signIn, upload } from './walk.ts'

const used = 'عقد الإيجار النهائي 🎉 لن يُحذف ما دام مستخدما.pdf'
const held = 'Evidence “A”.pdf'
const reason = 'Acme against Globex, 2026/117 ⚖'

/** A file in use cannot be deleted. Detached, it is deleted, restored, deleted and purged, and the audit log shows all of it. */
export async function walkOfAFileInUse(page: Page, baseUrl: string): Promise<void> {
  await signIn(page, baseUrl, 'ada@acme.example')
  await upload(page, used)
  const owner = { fileId: await idOf(page, used), ownerType: 'invoice', ownerId: '2026-0042', slot: 'scan' }
  await mutate(page, 'attachFile', 'AttachFileInput', owner)
  await seeItRefused(page)
  await mutate(page, 'detachFile', 'DetachFileInput', owner)
  await moveToTrash(page, used)
  await page.getByRole('button', { name: `Restore ${isolate(used)}` }).click()
  await rowOf(page, used).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Files', exact: true }).click()
  await moveToTrash(page, used)
  await deleteForever(page)
  await runNow(page)
  await readAuditTrail(page)
}

async function seeItRefused(page: Page) {
  await choose(page, used, 'Delete')
  const dialog = page.getByRole('alertdialog', { name: 'This file is in use' })
  await dialog.getByText(used).waitFor()
  await dialog.getByRole('listitem').filter({ hasText: 'invoice 2026-0042' }).filter({ hasText: 'as scan' }).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await rowOf(page, used).getByText('In use').waitFor()
}

async function moveToTrash(page: Page, name: string) {
  await choose(page, name, 'Delete')
  await rowOf(page, name).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('heading', { name: 'Trash', exact: true }).waitFor()
  await rowOf(page, name).getByText('30 days left').first().waitFor({ state: 'attached' })
}

async function deleteForever(page: Page) {
  const dialog = page.getByRole('alertdialog', { name: 'Delete forever?' })
  await choose(page, used, 'Delete forever')
  await dialog.getByText(used).waitFor()
  await dialog.getByText('This cannot be undone').waitFor()
  // Pressing Enter at once deletes nothing.
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  await rowOf(page, used).waitFor()
  await choose(page, used, 'Delete forever')
  await dialog.getByRole('button', { name: 'Delete forever' }).click()
  await rowOf(page, used).waitFor({ state: 'detached' })
}

/** The worker may run first. The bytes are deleted once, by its run or by this one. */
async function runNow(page: Page) {
  await page.getByRole('link', { name: 'Cleanup' }).click()
  await page.getByRole('button', { name: 'Run now' }).click()
  const dialog = page.getByRole('dialog', { name: 'Run now' })
  await dialog.getByLabel('What', { exact: true }).selectOption({ label: 'Delete released bytes' })
  expect(await dialog.getByRole('switch', { name: 'Dry run', exact: true }).isChecked()).toBe(true)
  expect(await dialog.getByRole('switch', { name: 'Exceed the brake' }).count()).toBe(0)
  await dialog.getByText('Dry run', { exact: true }).click()
  await dialog.getByRole('button', { name: 'Run for real' }).click()
  const details = page.getByRole('dialog', { name: 'Cleanup run' })
  await details.getByText('Done').waitFor()
  await details.getByText('by Ada Lindqvist').waitFor()
  await page.reload()
  await details.getByText('Done').waitFor()
  await details.getByRole('button', { name: 'Close' }).click()
  const runs = page.getByRole('table', { name: 'Cleanup runs' }).getByRole('row')
  await runs.filter({ hasText: 'Delete released bytes' }).filter({ hasText: '· deleted 1 (' }).first().waitFor()
}

async function readAuditTrail(page: Page) {
  await page.getByRole('link', { name: 'Audit log' }).click()
  const log = page.getByRole('table', { name: 'Audit log' })
  for (const sentence of [
    `Ada Lindqvist attached “${used}” to “invoice 2026-0042” as “scan”`,
    `Ada Lindqvist detached “${used}” from “invoice 2026-0042” as “scan”`,
    `Ada Lindqvist moved “${used}” to the trash`,
    `Ada Lindqvist restored “${used}” from the trash`,
    `Ada Lindqvist deleted “${used}” forever`,
    'Ada Lindqvist requested a cleanup: Delete released bytes',
    'deleted released bytes from the bucket',
  ]) {
    await log.getByText(sentence).first().waitFor()
  }
}

/** A held file cannot be deleted, and in the trash it cannot be purged. After the release both work. */
export async function walkOfAHold(page: Page, baseUrl: string): Promise<void> {
  await signIn(page, baseUrl, 'sam@acme.example')
  await page.goto(`${baseUrl}/t/acme/files`)
  await upload(page, held)
  await page.getByRole('button', { name: held, exact: true }).click()
  await page.getByRole('combobox', { name: 'How long it stays' }).selectOption('WHILE_ATTACHED')
  await hold(page, 'Hold …')
  await page.getByRole('region', { name: 'Legal hold' }).getByText(reason).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await rowOf(page, held).getByText('Legal hold').waitFor()
  await choose(page, held, 'Delete')
  const dialog = page.getByRole('alertdialog', { name: 'This file is under legal hold' })
  await dialog.getByText(reason).waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: held, exact: true }).click()
  await page.getByRole('button', { name: 'Release …' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Release' }).click()
  await page.getByText('Not held.').waitFor()
  expect(await page.getByRole('combobox', { name: 'How long it stays' }).inputValue()).toBe('WHILE_ATTACHED')
  await page.getByRole('button', { name: 'Close' }).click()
  await moveToTrash(page, held)
  await choose(page, held, 'Put under legal hold')
  await fillReason(page)
  await rowOf(page, held).getByText('Legal hold').waitFor()
  await page.getByRole('button', { name: `More for ${isolate(held)}` }).click()
  const purge = page.getByRole('menuitem', { name: 'Delete forever' })
  expect(await purge.getAttribute('aria-disabled')).toBe('true')
}

async function hold(page: Page, button: string) {
  await page.getByRole('button', { name: button }).click()
  await fillReason(page)
}

async function fillReason(page: Page) {
  const dialog = page.getByRole('dialog', { name: 'Put under legal hold' })
  await dialog.getByLabel('Reason').fill(reason)
  await dialog.getByRole('button', { name: 'Hold' }).click()
  await dialog.waitFor({ state: 'detached' })
}

const idOf = async (page: Page, name: string): Promise<string> => {
  const { files } = await ask<{ files: { nodes: { id: string; name: string }[] } }>(
    page,
    '{ files { nodes { id name } } }',
  )
  const file = files.nodes.find((node) => node.name === name)
  if (!file) throw new Error(`There is no file ${name}`)
  return file.id
}
