import { useRef, useState } from 'react'

type Handlers = Record<string, (...args: never[]) => void>

/** Handlers whose identity never changes. Each calls the latest version of its function. */
export function useStable<T extends { readonly [K in keyof T]: Handlers[string] }>(handlers: T): T {
  const latest = useRef(handlers)
  latest.current = handlers
  const [stable] = useState(() => {
    const call =
      (name: keyof T) =>
      (...args: never[]) =>
        latest.current[name](...args)
    return Object.fromEntries(Object.keys(handlers).map((name) => [name, call(name as keyof T)])) as unknown as T
  })
  return stable
}
