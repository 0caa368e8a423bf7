import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ownerCharacters as boundsOfOwner } from '../src/domain/files/attachments/attachments.ts'
import { holdReasonCharacters } from '../src/domain/files/changeFile.ts'
import {
  emailMaxLength,
  keyNameMaxLength,
  passwordMaxLength,
  passwordMinLength,
  personNameMaxLength,
  subjectMaxLength,
} from '../src/domain/identity/limits.ts'
import { limits as allLimits } from '../src/domain/limits.ts'
import { policyBounds } from '../src/domain/tenants/createTenant.ts'
import { mostFieldsOfAnswer, variableLimits as boundsOfVariables } from '../src/graphql/engine/operationCost.ts'
import { anonymousLimits, introspectionRoots, operationLimits } from '../src/graphql/engine/operationLimits.ts'

/** Names of the bounds that the table below has read. */
const read = new Set<string>()
const noting = <Bounds extends object>(bounds: Bounds): Bounds =>
  new Proxy(bounds, { get: (of, name) => (read.add(String(name)), Reflect.get(of, name)) })
const [limits, known, anonymous] = [noting(allLimits), noting(operationLimits), noting(anonymousLimits)]
const [variableLimits, ownerCharacters] = [noting(boundsOfVariables), noting(boundsOfOwner)]

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const tableInReadme = /(<!-- limits:start -->\n)[\s\S]*?(<!-- limits:end -->)/

const number = (value: number) => value.toLocaleString('en')
const kib = (bytes: number) => `${number(bytes / 1024)} KiB`
const characters = (most: number) => `${number(most)} characters`
const seconds = (value: number) => `${number(value)} s`

/** What is bounded, and by how much: with and without credentials where that differs. */
const rows: [what: string, known: string, anonymous?: string][] = [
  ['Body of a request', kib(limits.bodyBytes), kib(limits.anonymousBodyBytes)],
  ['Lists, objects and commas in a body', number(limits.bodyParts)],
  ['Text of the operations', characters(limits.documentCharacters)],
  ['GraphQL tokens', number(known.tokens)],
  ['Operations in a document', number(known.operations), number(anonymous.operations)],
  ['Fragments in a document', number(known.fragments), number(anonymous.fragments)],
  ['Fields, after fragments are expanded', number(known.fields), number(anonymous.fields)],
  ['Depth of fields', number(known.depth), number(anonymous.depth)],
  ['Root fields', number(known.rootFields), number(anonymous.rootFields)],
  ['Aliases', number(known.aliases), number(anonymous.aliases)],
  ['The same field at one path', number(known.repeatsOfOneField), number(anonymous.repeatsOfOneField)],
  ['Pairs of fields with one name at one path', number(known.comparisons), number(anonymous.comparisons)],
  ['Directives', number(known.directives), number(anonymous.directives)],
  ['Directives at one field', number(known.directivesOfOneNode), number(anonymous.directivesOfOneNode)],
  ['Depth of a literal', number(known.valueDepth), number(anonymous.valueDepth)],
  ['`__schema`, `__type` in an operation', Object.values(introspectionRoots).join(', ')],
  [
    'Values, depth, characters of variables',
    `${number(variableLimits.values)}, ${variableLimits.depth}, ${number(variableLimits.characters)}`,
  ],
  ['Fields of a response, including each row of a page', number(mostFieldsOfAnswer)],
  ['Rows of a page', `${limits.pageRows} by default, at most ${limits.maxPageRows}`],
  ['Ids of `nodes`', number(limits.nodesPerRequest)],
  ['Rows of an exact count', number(limits.countedRows)],
  ['Text of a search', characters(limits.searchCharacters)],
  ['Name of a file', characters(limits.fileNameCharacters)],
  ['Media type', characters(limits.contentTypeCharacters)],
  ['Idempotency key', characters(limits.idempotencyKeyCharacters)],
  [
    'Owner type, owner id, slot',
    `${ownerCharacters.ownerType}, ${ownerCharacters.ownerId}, ${characters(ownerCharacters.slot)}`,
  ],
  ['Reason of a hold', characters(holdReasonCharacters)],
  ['Name of an API key, of a person', `${keyNameMaxLength}, ${characters(personNameMaxLength)}`],
  ['E-mail address, user id of a token', `${emailMaxLength}, ${characters(subjectMaxLength)}`],
  ['Password', `${passwordMinLength} to ${characters(passwordMaxLength)}`],
  ['Lifetime of an upload URL', seconds(limits.uploadUrlSeconds)],
  [
    'Lifetime of a download URL',
    `${seconds(limits.downloadUrlSeconds)} by default, ${limits.minDownloadUrlSeconds} s to ${seconds(policyBounds.downloadMaxSeconds[1])}, at most the tenant's limit`,
  ],
  [
    'Lifetime of an upload intent',
    `${seconds(policyBounds.intentLifetimeSeconds[0])} to ${seconds(policyBounds.intentLifetimeSeconds[1])}, by the tenant's policy`,
  ],
  ['Days in the trash', `${policyBounds.trashDays[0]} to ${number(policyBounds.trashDays[1])}, by the tenant's policy`],
]

it('are in the README; rewrite them with `npm test -- readmeLimits --update`', async () => {
  const table = [
    '| Limit | With credentials | Without |',
    '| --- | --- | --- |',
    ...rows.map(
      ([what, most, without = 'the same']) => `| ${what} | ${most} | ${without === most ? 'the same' : without} |`,
    ),
  ].join('\n')
  expect(readme).toMatch(tableInReadme)
  const asInCode = readme.replace(tableInReadme, (_, before: string, after: string) => `${before}${table}\n${after}`)
  await expect(asInCode).toMatchFileSnapshot('../../README.md')
})

/** Bounds that no caller meets. */
const inward =
  /^(clockSkewSeconds|sniffedBytes|toldAttachments|dueTenantsPerMinute|heartbeatSeconds|silentRunSeconds|slowStatementMs)$|(PerRun|PerBatch|PerTurn|AfterDays|KeptDays)$/

it('are complete: no limit for callers is missing', () => {
  const untold = (bounds: object) => Object.keys(bounds).filter((name) => !inward.test(name) && !read.has(name))
  expect([limits, known, anonymous, variableLimits, ownerCharacters].flatMap(untold)).toEqual([])
})
