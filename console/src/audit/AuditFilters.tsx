import { X } from 'lucide-react'
import type { AuditState } from '../paths.ts'
import { PersonFilter } from '../people/PersonFilter.tsx'
import { Button } from '../ui/Button.tsx'
import { DayField } from './DayField.tsx'
import { actionNames } from './sentenceOf.ts'

interface AuditFiltersProps {
  readonly state: AuditState
  readonly onChange: (state: AuditState) => void
}

export function AuditFilters({ state, onChange }: AuditFiltersProps) {
  const { action, actor, subject, from, until } = state
  const isFiltered = [action, actor, subject, from, until].some(Boolean)
  return (
    <div className="page-tools" role="group" aria-label="Filters">
      <select
        className="select"
        aria-label="What happened"
        value={action ?? ''}
        onChange={({ target }) => onChange({ ...state, action: target.value })}
      >
        <option value="">Everything</option>
        {Object.entries(actionNames).map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <PersonFilter
        label="By whom"
        placeholder="By anybody"
        id={actor}
        onChange={(id) => onChange({ ...state, actor: id })}
      />
      <DayField
        label="From"
        day={from}
        // The day that was set last counts: the other one moves along where it would lie on the wrong side.
        onChange={(day) => onChange({ ...state, from: day, until: day && until && day > until ? day : until })}
      />
      <DayField
        label="Until"
        day={until}
        onChange={(day) => onChange({ ...state, until: day, from: day && from && day < from ? day : from })}
      />
      {subject && (
        <Button onPress={() => onChange({ ...state, subject: undefined })}>
          About one thing <X size={15} aria-label="(remove)" />
        </Button>
      )}
      {isFiltered && (
        <Button look="quiet" onPress={() => onChange({})}>
          Clear all
        </Button>
      )}
    </div>
  )
}
