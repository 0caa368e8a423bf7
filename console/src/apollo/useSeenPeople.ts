import { useShell } from '../shell/useShell.ts'

interface Person {
  readonly id: string
  readonly name: string
}

const seen = new WeakMap<object, Map<string, Person>>()

/**
 * Whom a list can be narrowed to: oneself, and everybody seen with this client, and so in this tenant. They are kept,
 * since narrowing a list must not shorten the choice.
 */
export function useSeenPeople(client: object, people: readonly Person[]): readonly Person[] {
  const me = useShell()?.viewer?.principal
  const known = seen.get(client) ?? new Map<string, Person>()
  seen.set(client, known)
  for (const person of people) known.set(person.id, person)
  const others = [...known.values()].filter(({ id }) => id !== me?.id).sort((a, b) => a.name.localeCompare(b.name))
  return me ? [{ id: me.id, name: 'me' }, ...others] : others
}
