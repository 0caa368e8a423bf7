import { type KeyedDatabase, KeyEnded } from '../../database/tenantDatabase.ts'
import type { Principal } from '../context.ts'
import { Unauthenticated } from '../refusals.ts'
import { type ApiKeyServices, authenticateApiKey } from './authenticateApiKey.ts'
import type { CheckedKeys } from './checkedKeys.ts'

/** Whether something failed because the key in whose name it was done had ended: `settle` refuses the whole answer then. */
export const isKeyEnded = (error: unknown): boolean => error instanceof KeyEnded

/** What is left to prove of a caller whose key was checked before: that it stood while the request was answered. */
export class KeyProof {
  /** What the request has to act on. */
  readonly database: KeyedDatabase
  readonly #services: ApiKeyServices & { readonly checkedKeys: CheckedKeys }
  readonly #text: string

  constructor(services: ApiKeyServices & { readonly checkedKeys: CheckedKeys }, text: string, principal: Principal) {
    this.#services = services
    this.#text = text
    const { tenantId, id: keyId, role } = principal
    this.database = services.database.forKey({ tenantId, keyId, role })
  }

  /**
   * Before the answer goes out. Rejects with `Unauthenticated` when a transaction has met a key that had ended; where no
   * transaction was opened, the key is read.
   */
  async settle(): Promise<void> {
    const { keyStands } = this.database
    if (keyStands === true) return
    this.#services.checkedKeys.forget(this.#text)
    if (keyStands === false) throw new Unauthenticated()
    await authenticateApiKey(this.#services, this.#text)
  }
}
