import { type CalendarDate, parseDate } from '@internationalized/date'
import { CalendarDays, ChevronLeft, ChevronRight, X } from 'lucide-react'
import { type KeyboardEvent, useRef, useState } from 'react'
import {
  Calendar,
  CalendarCell,
  CalendarGrid,
  DateInput,
  DatePicker,
  DateSegment,
  type DateValue,
  Group,
  Label,
  Popover,
} from 'react-aria-components/DatePicker'
import { Dialog, Heading } from 'react-aria-components/Dialog'
import type { AuditState } from '../paths.ts'
import { PersonFilter } from '../people/PersonFilter.tsx'
import { Button } from '../ui/Button.tsx'
import { isDay } from '../ui/formatTime.ts'
import { actionNames } from './AuditSentence.tsx'

interface DayFieldProps {
  readonly label: string
  /** As `YYYY-MM-DD`. */
  readonly day: string | undefined
  readonly onChange: (day: string | undefined) => void
}

/**
 * A day that is typed or chosen from a calendar. A complete day takes effect on Enter, when the field loses the focus, or when
 * it is chosen. Not earlier: typing 2026 passes through the years 2, 20 and 202.
 */
function DayField({ label, day, onChange }: DayFieldProps) {
  const [draft, setDraft] = useState(day)
  const [known, setKnown] = useState(day)
  // A field that was left incomplete shows the effective day again.
  const [attempt, setAttempt] = useState(0)
  if (known !== day) {
    setKnown(day)
    setDraft(day)
  }
  const group = useRef<HTMLDivElement>(null)
  const isChoosing = useRef(false)

  function commit(next: string | undefined) {
    if (next !== undefined && !isDay(next)) return discard()
    setDraft(next)
    if (next !== day) onChange(next)
  }
  function discard() {
    setDraft(day)
    setAttempt(attempt + 1)
  }
  /** A part of the day was erased. */
  const isBroken = () => draft !== undefined && Boolean(group.current?.querySelector('[data-placeholder]'))
  const leave = () => (isBroken() ? discard() : commit(draft))
  const commitOnEnter = ({ key }: KeyboardEvent) => {
    if (key === 'Enter' && !isBroken()) commit(draft)
  }

  return (
    <DatePicker
      key={attempt}
      className="day-field"
      value={toDate(draft)}
      minValue={earliest}
      shouldForceLeadingZeros
      onChange={(date: DateValue | null) => {
        const next = date === null ? undefined : toText(date)
        if (isChoosing.current) commit(next)
        else setDraft(next)
      }}
      onOpenChange={(isOpen) => (isChoosing.current = isOpen)}
      onBlur={leave}
    >
      <Label className="soft">{label}</Label>
      {/* On the way down: the segments keep keys for themselves. */}
      <div className="day-keys" onKeyDownCapture={commitOnEnter}>
        <Group className="input day-group" ref={group}>
          <DateInput className="day-input">
            {(segment) => <DateSegment segment={segment} className="day-segment" />}
          </DateInput>
          {day !== undefined && (
            <Button look="icon" slot={null} aria-label={`${label}: any day`} onPress={() => commit(undefined)}>
              <X size={15} aria-hidden />
            </Button>
          )}
          <Button look="icon" aria-label="Choose a day">
            <CalendarDays size={16} aria-hidden />
          </Button>
        </Group>
      </div>
      <Popover className="menu-popover">
        <Dialog className="calendar-dialog" aria-label={label}>
          <Calendar>
            <header className="calendar-head">
              <Button look="icon" slot="previous">
                <ChevronLeft size={18} aria-hidden className="calendar-arrow" />
              </Button>
              <Heading />
              <Button look="icon" slot="next">
                <ChevronRight size={18} aria-hidden className="calendar-arrow" />
              </Button>
            </header>
            <CalendarGrid className="calendar">
              {(date) => <CalendarCell date={date} className="calendar-day" />}
            </CalendarGrid>
          </Calendar>
        </Dialog>
      </Popover>
    </DatePicker>
  )
}

const earliest = parseDate('1970-01-01')

const toDate = (day: string | undefined): CalendarDate | null => (day === undefined ? null : parseDate(day))

/** The day in the Gregorian calendar, for input in any calendar. */
const toText = ({ year, month, day }: DateValue): string =>
  `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`

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
        // The day that was set last wins. The other one moves with it if the range would be reversed.
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
