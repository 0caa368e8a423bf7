import { X } from 'lucide-react'
import type { AuditState } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { actionNames } from './sentenceOf.ts'

interface AuditFiltersProps {
  readonly state: AuditState
  readonly actors: readonly { readonly id: string; readonly name: string }[]
  readonly onChange: (state: AuditState) => void
}

export function AuditFilters({ state, actors, onChange }: AuditFiltersProps) {
  const isFiltered = Object.values(state).some(Boolean)
  const day = (key: 'from' | 'until', label: string) => (
    <label className="audit-day">
      <span className="soft">{label}</span>
      <input
        type="date"
        className="input"
        value={state[key] ?? ''}
        onChange={({ target }) => onChange({ ...state, [key]: target.value })}
      />
    </label>
  )
  return (
    <div className="page-tools" role="group" aria-label="Filters">
      <select
        className="select"
        aria-label="What happened"
        value={state.action ?? ''}
        onChange={({ target }) => onChange({ ...state, action: target.value })}
      >
        <option value="">Everything</option>
        {Object.entries(actionNames).map(([action, name]) => (
          <option key={action} value={action}>
            {name}
          </option>
        ))}
      </select>
      <select
        className="select"
        aria-label="By whom"
        value={state.actor ?? ''}
        onChange={({ target }) => onChange({ ...state, actor: target.value })}
      >
        <option value="">By anybody</option>
        {actors.map(({ id, name }) => (
          <option key={id} value={id}>
            By {name}
          </option>
        ))}
      </select>
      {day('from', 'From')}
      {day('until', 'Until')}
      {state.subject && (
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
