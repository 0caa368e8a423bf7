import { useRef, useState } from 'react'

type Handlers = Record<string, (...args: never[]) => void>

/** Handlers that stay the same for as long as the component lives, and do what they were last given to do. */
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
