/** The host application's key set could not be fetched: its tokens can be neither accepted nor refused now. */
export class KeySetUnavailable extends Error {
  override readonly name = 'KeySetUnavailable'
}
