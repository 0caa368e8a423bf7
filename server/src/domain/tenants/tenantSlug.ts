import { isId } from '../newId.ts'

/** 2 to 40 lower-case letters, digits and hyphens. Nothing that reads as an id: tokens name their tenant by either. */
export const isSlug = (text: string): boolean => /^[a-z0-9-]{2,40}$/.test(text) && !isId(text)
