import type { FilesState } from '../paths.ts'
import { PersonFilter } from '../people/PersonFilter.tsx'
import { typeGroups } from './typeGroups.ts'

interface FileFiltersProps {
  readonly state: FilesState
  readonly onChange: (state: FilesState) => void
}

export function FileFilters({ state, onChange }: FileFiltersProps) {
  return (
    <div className="page-tools" role="group" aria-label="Filters">
      <select
        className="select"
        aria-label="Type"
        value={state.type ?? ''}
        onChange={({ target }) => onChange({ ...state, type: target.value })}
      >
        <option value="">All types</option>
        {typeGroups.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
      <PersonFilter
        label="Uploaded by"
        placeholder="Uploaded by anybody"
        id={state.by}
        onChange={(by) => onChange({ ...state, by })}
      />
    </div>
  )
}
