import { skipToken, useQuery } from '@apollo/client/react'
import { X } from 'lucide-react'
import { type ComponentType, useEffect, useId, useRef, useState } from 'react'
import { type PersonFragment, PersonByIdDocument } from '../apollo/operations.ts'
import { useShell } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { say } from '../ui/say.ts'
import type { PersonBoxProps } from './PersonBox.tsx'
import './people.css'

/** The person with an id. Null if the tenant has no such person, undefined while loading. */
function usePerson(id: string | undefined): Pick<PersonFragment, 'id' | 'name'> | null | undefined {
  const me = useShell()?.viewer?.principal
  const isKnown = id === undefined || id === me?.id
  const { data, error } = useQuery(PersonByIdDocument, isKnown ? skipToken : { variables: { id } })
  if (isKnown) return id === undefined ? null : me
  if (error) return null
  if (!data) return undefined
  return data.node?.__typename === 'Principal' ? data.node : null
}

interface PersonFilterProps {
  readonly label: string
  /** Shown in the field if no person is chosen. */
  readonly placeholder: string
  /** The id of the chosen person. */
  readonly id: string | undefined
  readonly onChange: (id: string | undefined) => void
}

/**
 * Filters a list by a person of the tenant. The search component is fetched when the field gets the focus. Until then a plain
 * field takes its place and keeps the typed text.
 */
export function PersonFilter({ label, placeholder, id, onChange }: PersonFilterProps) {
  const person = usePerson(id)
  const name = id === undefined ? '' : (person?.name ?? (person === null ? 'Unknown person' : ''))
  const [Box, setBox] = useState<ComponentType<PersonBoxProps> | null>(null)
  const [typed, setTyped] = useState<string | null>(null)
  const listId = useId()
  const plain = useRef<HTMLInputElement>(null)
  const [hadFocus, setHadFocus] = useState(false)

  const isMounted = useRef(true)
  useEffect(() => {
    isMounted.current = true
    return () => void (isMounted.current = false)
  }, [])

  const load = () =>
    import('./PersonBox.tsx').then(
      (part) => {
        if (!isMounted.current) return
        setHadFocus(document.activeElement === plain.current)
        setBox(() => part.PersonBox)
      },
      () => say('The search could not be loaded. Check your connection, then try again.'),
    )

  return (
    <div className="person-filter">
      {Box ? (
        <Box
          label={label}
          placeholder={placeholder}
          chosen={id === undefined ? null : { id, name }}
          typed={typed}
          hasFocus={hadFocus}
          onChoose={onChange}
        />
      ) : (
        <input
          ref={plain}
          role="combobox"
          aria-label={label}
          aria-expanded={false}
          aria-controls={listId}
          aria-autocomplete="list"
          autoComplete="off"
          className="input"
          placeholder={placeholder}
          value={typed ?? name}
          onFocus={() => void load()}
          onChange={({ target }) => setTyped(target.value)}
        />
      )}
      {id !== undefined && (
        <Button look="icon" aria-label={`${label}: anybody`} onPress={() => onChange(undefined)}>
          <X size={16} aria-hidden />
        </Button>
      )}
    </div>
  )
}
