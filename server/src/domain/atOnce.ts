type Answers<T extends readonly (() => PromiseLike<unknown>)[]> = {
  -readonly [K in keyof T]: Awaited<ReturnType<T[K]>>
}

/**
 * Sends statements that do not need each other's answers, so that they share one round trip. They go out, and take their
 * locks, in the order of the list: each function has to send before it waits for anything.
 *
 * All have been answered when this resolves, also where one failed, since no statement may outlive its transaction. Of
 * several failures the first in the list is thrown: behind a failed statement Postgres refuses all others.
 */
export async function atOnce<const T extends readonly (() => PromiseLike<unknown>)[]>(
  ...statements: T
): Promise<Answers<T>> {
  const settled = await Promise.allSettled(statements.map(async (send) => send()))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as Answers<T>
}
