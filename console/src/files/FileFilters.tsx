import type { FilesState } from '../paths.ts'
import { typeGroups } from './typeGroups.ts'

interface FileFiltersProps {
  readonly state: FilesState
  readonly uploaders: readonly { readonly id: string; readonly name: string }[]
  readonly onChange: (state: FilesState) => void
}

export function FileFilters({ state, uploaders, onChange }: FileFiltersProps) {
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
      <select
        className="select"
        aria-label="Uploaded by"
        value={state.by ?? ''}
        onChange={({ target }) => onChange({ ...state, by: target.value })}
      >
        <option value="">By anybody</option>
        {uploaders.map(({ id, name }) => (
          <option key={id} value={id}>
            By {name}
          </option>
        ))}
      </select>
    </div>
  )
}
