import type { z } from 'zod'

/** The value of a JSON text that came from outside. Returns null if the text is not JSON or not of this shape. */
export function parseJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const read = schema.safeParse(JSON.parse(text))
    return read.success ? read.data : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
