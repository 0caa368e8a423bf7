import { skipToken, useQuery } from '@apollo/client/react'
import { X } from 'lucide-react'
import { type ComponentType, useEffect, useId, useRef, useState } from 'react'
import { type PersonFragment, PersonByIdDocument } from '../apollo/operations.ts'
import { useShell } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { say } from '../ui/say.ts'
import type { PersonBoxProps } from './PersonBox.tsx'
import './people.css'

/** Whom an id names; null if it names nobody in this tenant, undefined until that is known. */
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
  /** What the field shows if the list is not narrowed. */
  readonly placeholder: string
  /** Whom the list is narrowed to. */
  readonly id: string | undefined
  readonly onChange: (id: string | undefined) => void
}

/**
 * Narrows a list to one person, who is searched for among everybody in the tenant. What searches is fetched when somebody
 * comes here; until then a plain field stands in its place and keeps what is typed.
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
