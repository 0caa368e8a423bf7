/** What one request has done so far, for its log line and the metrics. */
export interface RequestTally {
  /** As the client chose it, so its values are not bounded. Null for an anonymous operation. */
  operationName: string | null
  /** The root field of the schema that the operation asks for. Null before the operation is known. */
  rootField: string | null
  /** The codes of all errors, those in a result union included. */
  readonly codes: Set<string>
  /** The time in transactions, with the wait for a connection. Concurrent transactions add up. */
  databaseMs: number
}

export const newTally = (): RequestTally => ({
  operationName: null,
  rootField: null,
  codes: new Set(),
  databaseMs: 0,
})
