/*
 * Loaded before the product in tests that turn its clock. The file that FILEGRAPH_TEST_CLOCK names holds how many milliseconds
 * the clock is ahead; without the file it is right. Postgres has a clock of its own.
 */
import { readFileSync } from 'node:fs'

const RealDate = Date

function now() {
  try {
    return RealDate.now() + Number(readFileSync(process.env.FILEGRAPH_TEST_CLOCK, 'utf8'))
  } catch {
    return RealDate.now()
  }
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, newTarget) => Reflect.construct(target, values.length > 0 ? values : [now()], newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
})
