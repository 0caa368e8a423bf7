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
import { Button } from '../ui/Button.tsx'
import { isDay } from '../ui/formatTime.ts'

interface DayFieldProps {
  readonly label: string
  /** As `YYYY-MM-DD`. */
  readonly day: string | undefined
  readonly onChange: (day: string | undefined) => void
}

/**
 * A day that is typed or chosen from a calendar. It counts once it is complete and people are done with it: on Enter, when
 * they leave the field, or when they choose it. While somebody types 2026, the years 2, 20 and 202 come by.
 */
export function DayField({ label, day, onChange }: DayFieldProps) {
  const [draft, setDraft] = useState(day)
  const [known, setKnown] = useState(day)
  // A field that was left half filled in starts over with the effective day.
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
  /** A day of which a part was erased. */
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

/** Of the Gregorian calendar, whatever calendar people type in. */
const toText = ({ year, month, day }: DateValue): string =>
  `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
