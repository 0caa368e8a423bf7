type Answers<T extends Readonly<Record<string, () => PromiseLike<unknown>>>> = {
  readonly [K in keyof T]: Awaited<ReturnType<T[K]>>
}

/**
 * Sends statements that do not need each other's answers, so that they share one round trip, and answers under their names.
 * They go out, and take their locks, in the order in which they are written: each function has to send before it waits for
 * anything.
 *
 * All have been answered when this resolves, also where one failed, since no statement may outlive its transaction. Of
 * several failures the first is thrown: behind a failed statement Postgres refuses all others.
 */
export async function together<const T extends Readonly<Record<string, () => PromiseLike<unknown>>>>(
  statements: T,
): Promise<Answers<T>> {
  const answers = await allTogether(Object.values(statements))
  return Object.fromEntries(Object.keys(statements).map((name, at) => [name, answers[at]])) as Answers<T>
}

/** The same for a list of like statements. */
export async function allTogether<T>(statements: readonly (() => PromiseLike<T>)[]): Promise<T[]> {
  const settled = await Promise.allSettled(statements.map(async (send) => send()))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
}
