type Answers<T extends Readonly<Record<string, () => PromiseLike<unknown>>>> = {
  readonly [K in keyof T]: Awaited<ReturnType<T[K]>>
}

/**
 * Sends statements that do not depend on each other's results in one round trip, and returns their results by name. The
 * statements are sent, and take their locks, in the written order. Each function must send before it awaits anything.
 *
 * Resolves or rejects only after all statements have been answered, because no statement may outlive its transaction.
 * Of several errors, throws the first: Postgres refuses every statement after a failed one.
 */
export async function together<const T extends Readonly<Record<string, () => PromiseLike<unknown>>>>(
  statements: T,
): Promise<Answers<T>> {
  const answers = await allTogether(Object.values(statements))
  return Object.fromEntries(Object.keys(statements).map((name, at) => [name, answers[at]])) as Answers<T>
}

/** As `together`, for a list of similar statements. */
export async function allTogether<T>(statements: readonly (() => PromiseLike<T>)[]): Promise<T[]> {
  const settled = await Promise.allSettled(statements.map(async (send) => send()))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
}
