import type { Context } from '../domain/context.ts'
import { Unauthenticated } from '../domain/refusals.ts'
import { createLoaders, type Loaders } from './loaders.ts'

/** What resolvers of one request share. */
export interface RequestContext {
  /** Null without credentials: then only introspection and `__typename` are answered. */
  readonly caller: Context | null
  readonly loaders: Loaders | null
}

export const contextFor = (caller: Context | null): RequestContext => ({
  caller,
  loaders: caller && createLoaders(caller),
})

/** The caller of a field that asks for a role. */
export function callerOf({ caller }: RequestContext): Context {
  if (!caller) throw new Unauthenticated()
  return caller
}

export function loadersOf({ loaders }: RequestContext): Loaders {
  if (!loaders) throw new Unauthenticated()
  return loaders
}
