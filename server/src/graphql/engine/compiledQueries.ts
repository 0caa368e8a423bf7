import {
  type DocumentNode,
  type ExecutionResult,
  getNamedType,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { compileQuery, isCompiledQuery } from 'graphql-jit'
import type { RequestContext } from '../requestContext.ts'
import type { KnownDocument } from './documentCache.ts'

export interface AskedQuery {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  /** As they were sent. They have passed the coercion of graphql-js. */
  readonly variables: Readonly<Record<string, unknown>>
  readonly contextValue: RequestContext
}

/**
 * Runs a known query as a function made for it, which takes a third of the time that interpreting it takes. Returns null
 * for what the interpreter of graphql-js has to run: mutations, introspection, and what a compiler could take for
 * something else (directives, abstract types, odd names), and what is read by relational queries, whose plan hangs on the path
 * that the interpreter gives to a field. Nothing has been executed then. A query that fails is not run
 * again: its answer holds the errors and the data beside them. `mayCompile` bounds how many queries are compiled in a time.
 */
export async function runCompiled(
  known: KnownDocument,
  asked: AskedQuery,
  mayCompile: () => boolean,
): Promise<ExecutionResult | null> {
  const { schema, operation, variables, contextValue } = asked
  if (known.run === undefined) known.run = compile(schema, known.document, operation, mayCompile)
  if (known.run === undefined) return null
  if (known.run === null || overridesDefault(operation, variables)) return null
  const result = await known.run(undefined, contextValue, variables)
  // Without data the variables were refused before anything ran.
  if (result.data === undefined) return null
  return result.errors ? { data: result.data, errors: ownErrors(result) } : { data: result.data }
}

/** Undefined while too many queries are compiled: a later call tries again. */
function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  mayCompile: () => boolean,
): KnownDocument['run'] {
  if (!isPlain(schema, document, operation)) return null
  if (!mayCompile()) return undefined
  const compiled = compileQuery(schema, document, operation.name?.value, { disablingCapturingStackErrors: true })
  return isCompiledQuery(compiled) ? compiled.query : null
}

/**
 * A null for a variable that has a default may stand where null is not allowed: the only coercion that can fail while a
 * valid operation runs. The interpreter words that.
 */
const overridesDefault = (operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): boolean =>
  operation.variableDefinitions?.some(
    ({ variable, defaultValue }) => defaultValue && variables[variable.name.value] === null,
  ) ?? false

/**
 * In the form of graphql-js, which reports one error for each value that became null by it. The compiler lists those
 * that made a parent null behind the others, so the last one at each place is the cause.
 */
function ownErrors({ data, errors = [] }: ExecutionResult): GraphQLError[] {
  const byPlace = new Map<string, GraphQLError>()
  for (const { message, path, locations, originalError } of errors) {
    const error = Object.assign(new GraphQLError(message, { path, originalError }), { locations })
    byPlace.set(JSON.stringify(nullIn(data, path ?? [])), error)
  }
  return [...byPlace.values()]
}

/** The beginning of a path up to the null that the answer has on the way. */
function nullIn(data: unknown, path: readonly (string | number)[]): readonly (string | number)[] {
  let value = data
  for (const [depth, part] of path.entries()) {
    if (value === null || value === undefined) return path.slice(0, depth)
    value = (value as Record<string | number, unknown>)[part]
  }
  return path
}

/** One query, of object types and leaves only, whose names mean nothing to JavaScript. */
export function isPlain(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  if (operation.operation !== OperationTypeNode.QUERY || operations.length !== 1) return false
  let plain = true
  const refuse = () => {
    plain = false
  }
  const types = new TypeInfo(schema)
  visit(
    document,
    visitWithTypeInfo(types, {
      Directive: refuse,
      Field(field) {
        const type = types.getType()
        const isOdd = [field.name, field.alias].some((name) => name && /^__|^(constructor|prototype)$/.test(name.value))
        if (!type || isAbstractType(getNamedType(type)) || isOdd || isRelational(types.getFieldDef())) refuse()
      },
    }),
  )
  return plain
}

/** A field that starts a relational query, or that carries a part of one: a selection of columns or of a relation. */
export const isRelational = (field: Pick<GraphQLField<unknown, unknown>, 'extensions'> | null | undefined): boolean =>
  Boolean(field?.extensions['relational'] || field?.extensions['pothosDrizzleSelect'])
