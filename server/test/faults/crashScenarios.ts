import { randomUUID } from 'node:crypto'
import { attachFile } from '../../src/domain/files/attachments/attachments.ts'
import { changeRetention, holdFile } from '../../src/domain/files/changeFile.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { actions, type Action, type Subject } from './crashActions.ts'
import { type CrashScene, endAllWaits, plantAttached, plantLiveFile, plantTrashed, plantUpload } from './crashScene.ts'
import { plantHistory } from './plantFile.ts'

export interface CrashScenario {
  readonly name: string
  readonly action: Action
  /** A sweep may be found half done, and goes on; a verb has happened or not. */
  readonly isSweep?: boolean
  readonly plant: (scene: CrashScene) => Promise<Subject>
}

const nothing = async (): Promise<Subject> => ({ fileId: '', uploadId: '', idempotencyKey: randomUUID() })

const binary = Buffer.from('\x89PNG\r', 'latin1')

export const crashScenarios: readonly CrashScenario[] = [
  { name: 'createUploadIntent', action: 'createUploadIntent', plant: nothing },
  { name: 'commitUpload of a new file', action: 'commitUpload', plant: (scene) => plantUpload(scene) },
  { name: 'commitUpload of a new version', action: 'commitUpload', plant: plantVersion },
  {
    name: 'commitUpload of other bytes',
    action: 'commitUpload',
    plant: (scene) => plantUpload(scene, { body: binary }),
  },
  { name: 'cancelUpload', action: 'cancelUpload', plant: (scene) => plantUpload(scene) },
  { name: 'attachFile', action: 'attachFile', plant: plantLiveFile },
  { name: 'detachFile', action: 'detachFile', plant: plantAttached },
  { name: 'detachFile of the last', action: 'detachFile', plant: plantWhileAttached },
  { name: 'replaceAttachment', action: 'replaceAttachment', plant: plantReplacement },
  { name: 'deleteFile', action: 'deleteFile', plant: plantLiveFile },
  { name: 'restoreFile', action: 'restoreFile', plant: plantTrashed },
  { name: 'holdFile', action: 'holdFile', plant: plantLiveFile },
  { name: 'releaseFile', action: 'releaseFile', plant: plantHeld },
  { name: 'changeRetention', action: 'changeRetention', plant: plantLiveFile },
  { name: 'purgeFile', action: 'purgeFile', plant: plantTrashed },
  { name: 'the sweep of expired uploads', action: 'expireUploads', isSweep: true, plant: plantExpired },
  { name: 'the sweep of cooled files', action: 'purgeFiles', isSweep: true, plant: plantCooled },
  { name: 'the sweep of released blobs', action: 'deleteBlobs', isSweep: true, plant: plantPurged },
  { name: 'the reconcile', action: 'reconcile', isSweep: true, plant: plantOrphan },
  { name: 'the verification', action: 'verify', isSweep: true, plant: plantLiveFile },
  { name: 'the end of stale uploads', action: 'abortUploads', isSweep: true, plant: nothing },
  { name: 'the marker of the bucket', action: 'advanceMarker', isSweep: true, plant: nothing },
  { name: 'requestCleanup', action: 'requestCleanup', isSweep: true, plant: nothing },
  { name: 'a run that was asked for', action: 'runQueued', isSweep: true, plant: plantRequested },
]

async function plantVersion(scene: CrashScene): Promise<Subject> {
  const { fileId } = await plantLiveFile(scene)
  return { ...(await plantUpload(scene, { fileId })), fileId }
}

async function plantWhileAttached(scene: CrashScene): Promise<Subject> {
  const subject = await plantAttached(scene)
  await changeRetention(scene.member, subject.fileId, 'WHILE_ATTACHED')
  return subject
}

async function plantReplacement(scene: CrashScene): Promise<Subject> {
  const occupant = await plantLiveFile(scene)
  await attachFile(scene.member, occupant.fileId, { ownerType: 'invoice', ownerId: '1', slot: 'default' })
  return plantLiveFile(scene)
}

async function plantHeld(scene: CrashScene): Promise<Subject> {
  const subject = await plantLiveFile(scene)
  await holdFile(scene.member, subject.fileId, 'a reason')
  return subject
}

async function plantExpired(scene: CrashScene): Promise<Subject> {
  const subject = await plantUpload(scene)
  await scene.sql`update uploads set expires_at = now() - interval '1 hour' where id = ${subject.uploadId}`
  return subject
}

async function plantCooled(scene: CrashScene): Promise<Subject> {
  const subject = await plantTrashed(scene)
  await scene.sql`update files set soft_deleted_at = now() - interval '100 days' where id = ${subject.fileId}`
  return subject
}

async function plantPurged(scene: CrashScene): Promise<Subject> {
  const subject = await plantTrashed(scene)
  await purgeFile(scene.member, subject.fileId)
  await endAllWaits(scene)
  return subject
}

async function plantRequested(scene: CrashScene): Promise<Subject> {
  const subject = await plantPurged(scene)
  await actions.requestCleanup(scene.member)
  return subject
}

/** Bytes that no row knows, watched for long enough. */
async function plantOrphan(scene: CrashScene): Promise<Subject> {
  const id = randomUUID()
  const key = `org/${scene.tenant.id}/files/${id}.txt`
  await plantHistory(scene.sql, scene.tenant.id, [id])
  await scene.service.blobs.write(key, Buffer.from('orphan'), { contentType: 'text/plain' })
  scene.service.cleanup.orphanGraceMs = 86_400_000
  await scene.service.sweep(scene.tenant.id, 'RECONCILE')
  scene.service.cleanup.orphanGraceMs = 0
  await endAllWaits(scene)
  return nothing()
}
