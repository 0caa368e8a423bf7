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
  /** The variables as sent. graphql-js has already accepted them. */
  readonly variables: Readonly<Record<string, unknown>>
  readonly contextValue: RequestContext
}

/**
 * Runs a repeated query as a compiled function, which takes a third of the interpreter's time. Returns null, without
 * executing anything, if the interpreter of graphql-js must run the query: a mutation, introspection, a query with
 * directives, abstract types or names that the compiler could misread, or a relational query, whose plan depends on the
 * path that the interpreter gives to a field.
 *
 * A query that fails is not run again: its result holds the errors and the remaining data. `mayCompile` limits the rate
 * of compilation.
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
  // Without data, the variables were refused before execution.
  if (result.data === undefined) return null
  return result.errors ? { data: result.data, errors: ownErrors(result) } : { data: result.data }
}

/** Undefined while the rate of compilation is exceeded. A later call tries again. */
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
 * A null for a variable with a default can be passed where null is not allowed. No other coercion can fail while a
 * valid operation runs. The interpreter reports this one.
 */
const overridesDefault = (operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): boolean =>
  operation.variableDefinitions?.some(
    ({ variable, defaultValue }) => defaultValue && variables[variable.name.value] === null,
  ) ?? false

/**
 * Converts the errors to the form of graphql-js, which reports one error for each value that it set to null. The
 * compiler appends the errors that set a parent to null, so the last error at each path is the cause.
 */
function ownErrors({ data, errors = [] }: ExecutionResult): GraphQLError[] {
  const byPlace = new Map<string, GraphQLError>()
  for (const { message, path, locations, originalError } of errors) {
    const error = Object.assign(new GraphQLError(message, { path, originalError }), { locations })
    byPlace.set(JSON.stringify(nullIn(data, path ?? [])), error)
  }
  return [...byPlace.values()]
}

/** The part of a path that leads to the first null in the response. */
function nullIn(data: unknown, path: readonly (string | number)[]): readonly (string | number)[] {
  let value = data
  for (const [depth, part] of path.entries()) {
    if (value === null || value === undefined) return path.slice(0, depth)
    value = (value as Record<string | number, unknown>)[part]
  }
  return path
}

/** True for one query that selects only object types and scalars and uses no name that is special in JavaScript. */
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

/** True for a field that starts a relational query or selects columns or a relation of one. */
export const isRelational = (field: Pick<GraphQLField<unknown, unknown>, 'extensions'> | null | undefined): boolean =>
  Boolean(field?.extensions['relational'] || field?.extensions['pothosDrizzleSelect'])
