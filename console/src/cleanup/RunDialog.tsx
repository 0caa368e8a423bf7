import { useApolloClient, useQuery } from '@apollo/client/react'
import { type SubmitEvent, useState } from 'react'
import { SwitchButton, SwitchField } from 'react-aria-components/Switch'
import { Text } from 'react-aria-components/Text'
import {
  type CleanupKind,
  type CleanupRowFragment,
  LastRunsDocument,
  RunCleanupDocument,
} from '../apollo/operations.ts'
import { takeSuccess, wordFailure } from '../apollo/takeSuccess.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { cleanupKinds, brakeOf } from './cleanupWords.ts'

interface RunDialogProps {
  readonly kind: CleanupKind
  readonly onAsked: (run: CleanupRowFragment) => void
  readonly onClose: () => void
}

/** Requests a run. A dry run by default. */
export function RunDialog({ kind: kindAtFirst, onAsked, onClose }: RunDialogProps) {
  const client = useApolloClient()
  const [kind, setKind] = useState(kindAtFirst)
  const [isDryRun, setDryRun] = useState(true)
  const [exceedsBrake, setExceedsBrake] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [isPending, setPending] = useState(false)
  const { data } = useQuery(LastRunsDocument, { variables: { kind }, fetchPolicy: 'no-cache' })
  const stopped = data?.cleanupRuns ? brakeOf(data.cleanupRuns.nodes) : undefined
  const mayExceed = stopped !== undefined && !isDryRun

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    setPending(true)
    const variables = { input: { kind, isDryRun, exceedsBrake: mayExceed && exceedsBrake } }
    await client
      .mutate({ mutation: RunCleanupDocument, variables, refetchQueries: ['CleanupPage'], awaitRefetchQueries: true })
      .then(({ data: answer }) => onAsked(takeSuccess(answer?.runCleanup, 'cleanupRun').cleanupRun))
      .catch((error: unknown) => setFailure(wordFailure(error)))
    setPending(false)
  }

  return (
    <Dialog title="Run now" onClose={onClose}>
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <div className="field">
          <label htmlFor="run-kind">What</label>
          <select
            id="run-kind"
            className="select run-kind"
            aria-describedby="run-does"
            value={kind}
            onChange={({ target }) => {
              setKind(target.value as CleanupKind)
              setExceedsBrake(false)
            }}
          >
            {Object.entries(cleanupKinds).map(([id, { name }]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
          <p id="run-does" className="soft">
            {cleanupKinds[kind].does}
          </p>
        </div>
        <Choice
          label="Dry run"
          hint={isDryRun ? 'Shows what it would do, and changes nothing.' : 'This run makes changes.'}
          isOn={isDryRun}
          onChange={setDryRun}
        />
        {stopped !== undefined && (
          <div className="run-brake">
            <p>
              <strong>The brake stopped the last run.</strong> {stopped}
            </p>
            <Choice
              label="Exceed the brake once"
              hint="Deletes any number of items. Do a dry run first: deleted items cannot be restored."
              isOn={mayExceed && exceedsBrake}
              isDisabled={isDryRun}
              onChange={setExceedsBrake}
            />
          </div>
        )}
        {failure && (
          <p className="field-error" role="alert">
            {failure}
          </p>
        )}
        <div className="dialog-actions">
          <Button onPress={onClose}>Cancel</Button>
          <Button look={isDryRun ? 'primary' : 'danger'} type="submit" isPending={isPending}>
            {isDryRun ? 'Start dry run' : 'Run for real'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly hint: string
  readonly isOn: boolean
  readonly isDisabled?: boolean
  readonly onChange: (isOn: boolean) => void
}

const Choice = ({ label, hint, isOn, isDisabled = false, onChange }: ChoiceProps) => (
  <SwitchField isSelected={isOn} isDisabled={isDisabled} onChange={onChange}>
    <SwitchButton className="switch">
      <span className="switch-track" />
      {label}
    </SwitchButton>
    <Text slot="description" className="switch-hint soft">
      {hint}
    </Text>
  </SwitchField>
)
