import type { AttachmentRowFragment, DeleteFileMutation } from '../apollo/operations.ts'
import { RefusedError } from '../apollo/takeSuccess.ts'
import type { Refusal } from '../apollo/wordRefusal.ts'

/** Who uses a file: the first of them, and how many there are. */
export interface Users {
  readonly attachments: readonly AttachmentRowFragment[]
  readonly attachmentCount: number
}

/** A file that was to go has to stay: because of its users or, where there are none, because it is held. */
export class FileKept extends RefusedError {
  readonly users: Users | null

  constructor(refusal: Refusal, users: Users | null) {
    super(refusal)
    this.users = users
  }
}

/** Throws `FileKept` where a file was not deleted for a reason that people have to be shown. */
export function throwIfKept(result: DeleteFileMutation['deleteFile'] | undefined): void {
  if (!result || !('__typename' in result)) return
  if (result.__typename === 'FileInUseError') throw new FileKept(result, result)
  if (result.__typename === 'ConflictError') throw new FileKept(result, null)
}
