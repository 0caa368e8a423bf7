import { DrizzleQueryError } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { sentenceFor } from './sentenceFor.ts'

it('prints the error of the database, without the statement and its values', () => {
  const cause = new Error('value "99999999999" is out of range for type integer')
  const error = new DrizzleQueryError('insert into "users" ("password_hash") values ($1)', ['$argon2id$secret'], cause)
  expect(sentenceFor(error)).toBe(`The database refused: ${cause.message}`)
})
