import { formatCount } from '../ui/formatBytes.ts'
import type { UploadView } from './uploadStore.ts'

export function wordEnd({ failed, done, cancelled }: UploadView['count']): string {
  const uploaded = `${wordFiles(done)} uploaded`
  if (failed > 0) {
    const failures = `${formatCount(failed)} ${failed === 1 ? 'upload' : 'uploads'} failed`
    return done > 0 ? `${failures}, ${uploaded}` : failures
  }
  if (done > 0) return uploaded
  return cancelled > 0 ? 'Upload cancelled' : ''
}

export const wordFiles = (count: number): string => `${formatCount(count)} ${count === 1 ? 'file' : 'files'}`
