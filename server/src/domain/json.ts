import type { z } from 'zod'

/** Parses JSON from outside. Returns null if the text is not JSON or does not match the schema. */
export function parseJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const read = schema.safeParse(JSON.parse(text))
    return read.success ? read.data : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
