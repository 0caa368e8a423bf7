import { wordError, wordRefusal, type Refusal } from './wordRefusal.ts'

/** Carries a refusal of the API to the code that shows it. */
export class RefusedError extends Error {
  readonly refusal: Partial<Refusal>

  constructor(refusal: Partial<Refusal>) {
    super(wordRefusal(refusal))
    this.refusal = refusal
  }
}

/** Returns the success of a mutation's union, recognised by a field that only a success has. Throws the refusal otherwise. */
export function takeSuccess<Result extends object, Field extends FieldsOf<Result>>(
  result: Result | null | undefined,
  field: Field,
): Extract<Result, Record<Field, unknown>> {
  if (result && field in result) return result as Extract<Result, Record<Field, unknown>>
  throw new RefusedError(result ?? {})
}

type FieldsOf<Result> = Result extends object ? keyof Result : never

/** The text for an error that a mutation threw. */
export const wordFailure = (error: unknown): string =>
  error instanceof RefusedError ? error.message : wordError(error)
