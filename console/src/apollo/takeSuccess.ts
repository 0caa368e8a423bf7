import { wordError, wordRefusal, type Refusal } from './wordRefusal.ts'

/** A refusal of the API on its way to the code that words it on the screen. */
export class RefusedError extends Error {
  readonly refusal: Partial<Refusal>

  constructor(refusal: Partial<Refusal>) {
    super(wordRefusal(refusal))
    this.refusal = refusal
  }
}

/** The success of a mutation's union, told by the field that only a success has. Throws the refusal otherwise. */
export function takeSuccess<Result extends object, Field extends FieldsOf<Result>>(
  result: Result | null | undefined,
  field: Field,
): Extract<Result, Record<Field, unknown>> {
  if (result && field in result) return result as Extract<Result, Record<Field, unknown>>
  throw new RefusedError(result ?? {})
}

type FieldsOf<Result> = Result extends object ? keyof Result : never

/** The sentence for whatever a mutation threw. */
export const wordFailure = (error: unknown): string =>
  error instanceof RefusedError ? error.message : wordError(error)
