import { useApolloClient } from '@apollo/client/react'
import { Check } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ComboBox, Input, ListBox, ListBoxItem, Popover } from 'react-aria-components/ComboBox'
import { type PersonFragment, PeopleDocument, type PrincipalKind } from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { useShell } from '../shell/useShell.ts'
import { UserText } from '../ui/UserText.tsx'

export interface PersonBoxProps {
  readonly label: string
  readonly placeholder: string
  readonly chosen: { readonly id: string; readonly name: string } | null
  /** The text that was typed before this component was loaded, or null. */
  readonly typed: string | null
  readonly hasFocus: boolean
  readonly onChoose: (id: string | undefined) => void
}

type Person = Pick<PersonFragment, 'id' | 'name'> & Partial<Pick<PersonFragment, 'email' | 'kind'>>

/** A field that searches all people of the tenant while somebody types. */
export function PersonBox({ label, placeholder, chosen, typed, hasFocus, onChoose }: PersonBoxProps) {
  const me = useShell()?.viewer?.principal
  const [text, setText] = useState(typed ?? chosen?.name ?? '')
  // Null while the field shows the chosen person. Everybody is offered then.
  const [search, setSearch] = useState<string | null>(typed)
  const { people, hasMore, note } = usePeople(search ?? '')
  const input = useRef<HTMLInputElement>(null)

  const chosenName = chosen?.name ?? ''
  useEffect(() => {
    if (document.activeElement !== input.current) setText(chosenName)
  }, [chosenName])
  useEffect(() => {
    if (!hasFocus) return
    input.current?.focus()
    const end = input.current?.value.length ?? 0
    input.current?.setSelectionRange(end, end)
  }, [hasFocus])

  function choose(id: string) {
    const person = people.find((each) => each.id === id)
    if (!person) return
    setSearch(null)
    setText(person.name)
    onChoose(id)
  }

  return (
    <ComboBox
      aria-label={label}
      menuTrigger="focus"
      allowsEmptyCollection
      items={people}
      inputValue={text}
      value={chosen?.id ?? null}
      onChange={(key) => key !== null && choose(String(key))}
      onBlur={() => {
        setSearch(null)
        setText(chosenName)
      }}
    >
      <Input
        ref={input}
        className="input"
        placeholder={placeholder}
        dir="auto"
        // Only typed text. The component sets the value itself when a person is chosen.
        onInput={({ currentTarget: { value } }) => {
          setText(value)
          setSearch(value)
          if (value === '' && chosen) onChoose(undefined)
        }}
      />
      <Popover className="menu-popover person-popover" placement="bottom start">
        <ListBox className="menu person-list" renderEmptyState={() => note ?? 'Nobody matches.'}>
          {(person: Person) => (
            <ListBoxItem key={person.id} id={person.id} className="menu-item" textValue={person.name}>
              <span>
                <UserText>{person.name}</UserText>
                {person.email && (
                  <span className="soft">
                    <UserText>{person.email}</UserText>
                  </span>
                )}
              </span>
              {person.id === me?.id ? (
                <span className="menu-hint">you</span>
              ) : (
                person.kind && kindNames[person.kind] && <span className="menu-hint">{kindNames[person.kind]}</span>
              )}
              {person.id === chosen?.id && <Check size={16} aria-hidden />}
            </ListBoxItem>
          )}
        </ListBox>
        {note && people.length > 0 && <p className="person-note">{note}</p>}
        {!note && hasMore && <p className="person-note">There are more. Type a part of the name or e-mail address.</p>}
      </Popover>
    </ComboBox>
  )
}

const kindNames: Partial<Record<PrincipalKind, string>> = { API_KEY: 'API key', SYSTEM: 'Filegraph' }

const debounceMs = 200

interface Found {
  readonly search: string
  readonly people: readonly Person[]
  readonly hasMore: boolean
  readonly failure: string | null
}

/** The people who match a search. The previous result stays until the response arrives, with a note that it is old. */
function usePeople(search: string) {
  const client = useApolloClient()
  const me = useShell()?.viewer?.principal
  const [found, setFound] = useState<Found | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    const ask = () =>
      client
        .query({
          query: PeopleDocument,
          variables: { search },
          // Every search differs, so caching them would only use memory.
          fetchPolicy: 'no-cache',
          context: { fetchOptions: { signal: stop.signal } },
        })
        .then(({ data }) => {
          const { nodes = [], pageInfo } = data?.principals ?? {}
          if (!stop.signal.aborted)
            setFound({ search, people: nodes, hasMore: pageInfo?.hasNextPage ?? false, failure: null })
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) setFound({ search, people: [], hasMore: false, failure: wordError(error) })
        })
    const timer = setTimeout(() => void ask(), search === '' ? 0 : debounceMs)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [client, search])

  const others = (found?.people ?? []).filter(({ id }) => id !== me?.id)
  const isMeMatching = me && (search === '' || found?.people.some(({ id }) => id === me.id))
  const people: readonly Person[] = isMeMatching ? [me, ...others] : others
  const isCurrent = found?.search === search
  const note = !isCurrent ? 'Searching …' : found.failure
  return { people, hasMore: found?.hasMore === true, note }
}
