import { type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import {
  type DocumentNode,
  getNamedType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import type { RequestContext } from './requestContext.ts'

/** How many compiled queries are kept: those that were asked last. */
const keptQueries = 200

/** A query is compiled when it comes again: what is asked once costs less to interpret. */
const usesBeforeCompiling = 2

type Run = CompiledQuery['query']

interface Known {
  uses: number
  /** Null for what is left to the interpreter. */
  run: Run | null | undefined
}

/**
 * Runs queries that come again as functions made for them, which takes a third of what interpreting them takes. Parsing,
 * validation and every bound come before. Mutations, introspection and whatever a compiler could take for something
 * else (directives, abstract types, odd names) stay with the interpreter of graphql-js. What fails is asked again of the
 * interpreter, so that errors are its own: a query changes nothing.
 */
export function compiledQueries(): ApolloServerPlugin<RequestContext> {
  const queries = new CompiledQueries()
  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ schema, document, operation, request, contextValue }) => {
        // There is none where the name of one is missing, whatever the type says.
        const run = operation ? queries.find(schema, document, operation) : null
        const result = await run?.(undefined, contextValue, request.variables ?? {})
        if (!result || result.errors || !result.data) return null
        return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: { data: result.data } } }
      },
    }),
  }
}

/** By document: Apollo keeps one object for each text, so that equal texts are one document. */
class CompiledQueries {
  readonly #known = new Map<DocumentNode, Known>()

  find(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Run | null {
    const known = this.#known.get(document) ?? { uses: 0, run: undefined }
    // Moved to the end: the first of the map is the one that was asked for longest ago.
    this.#known.delete(document)
    this.#known.set(document, known)
    if (this.#known.size > keptQueries) this.#forgetOldest()
    known.uses += 1
    if (known.uses < usesBeforeCompiling) return null
    if (known.run === undefined) known.run = compile(schema, document, operation)
    return known.run
  }

  #forgetOldest(): void {
    for (const document of this.#known.keys()) {
      this.#known.delete(document)
      return
    }
  }
}

function compile(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Run | null {
  if (!isPlain(schema, document, operation)) return null
  const compiled = compileQuery(schema, document, operation.name?.value, { disablingCapturingStackErrors: true })
  return isCompiledQuery(compiled) ? compiled.query : null
}

/** One query, of object types and leaves only, whose names mean nothing to JavaScript. */
function isPlain(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
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
        if (!type || isAbstractType(getNamedType(type)) || isOdd) refuse()
      },
    }),
  )
  return plain
}
