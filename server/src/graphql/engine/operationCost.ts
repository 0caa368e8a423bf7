import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'
import { limits } from '../../domain/limits.ts'

/** The maximum number of fields in a response. Each row of a page counts. */
export const mostFieldsOfAnswer = 20_000

/** The number of rows that a list without a page size counts as. */
const rowsOfPlainList = 5

interface Operation {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
}

/**
 * True if the response could grow too large with the requested page sizes. The document has passed `measureDocument`
 * and validation, so the number of fields to visit is bounded and no fragment contains itself.
 */
export function costsTooMuch(asked: Operation): boolean {
  const root = asked.schema.getRootType(asked.operation.operation)
  if (!root) return false
  const walk = new Walk(asked)
  walk.enter(asked.operation.selectionSet, { type: root, rows: 1 })
  return walk.cost > mostFieldsOfAnswer
}

interface Place {
  readonly type: GraphQLNamedType
  /** The maximum number of objects of this type in the response. */
  readonly rows: number
  /** The page size, inside a connection. */
  readonly pageRows?: number
}

class Walk {
  cost = 0
  readonly #asked: Operation
  readonly #fragments = new Map<string, FragmentDefinitionNode>()

  constructor(asked: Operation) {
    this.#asked = asked
    for (const definition of asked.document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition)
    }
  }

  enter(selections: SelectionSetNode, place: Place): void {
    for (const selection of selections.selections) {
      if (this.cost > mostFieldsOfAnswer) return
      if (selection.kind === Kind.FIELD) {
        this.cost += place.rows
        if (selection.selectionSet) this.enter(selection.selectionSet, this.#inside(selection, place))
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.enter(selection.selectionSet, this.#narrowed(place, selection.typeCondition?.name.value))
      } else {
        const fragment = this.#fragments.get(selection.name.value)
        if (fragment) this.enter(fragment.selectionSet, this.#narrowed(place, fragment.typeCondition.name.value))
      }
    }
  }

  #inside(field: FieldNode, place: Place): Place {
    const definition = fieldOf(place.type, field.name.value)
    // `operationLimits.ts` bounds introspection.
    if (!definition) return { type: place.type, rows: place.rows }
    const type = getNamedType(definition.type)
    if (type.name.endsWith('Connection')) return { type, rows: place.rows, pageRows: this.#pageRows(field) }
    if (!isListType(getNullableType(definition.type))) return { type, rows: place.rows }
    return { type, rows: place.rows * (place.pageRows ?? this.#idCount(field) ?? rowsOfPlainList) }
  }

  #narrowed(place: Place, condition: string | undefined): Place {
    const type = condition === undefined ? undefined : this.#asked.schema.getType(condition)
    return type ? { ...place, type } : place
  }

  #pageRows(field: FieldNode): number {
    const asked = this.#argument(field, 'first') ?? this.#argument(field, 'last')
    const rows = typeof asked === 'number' && asked >= 0 ? asked : limits.pageRows
    // The list itself refuses a larger page.
    return Math.min(rows, limits.maxPageRows)
  }

  #idCount(field: FieldNode): number | undefined {
    const ids = this.#argument(field, 'ids')
    return Array.isArray(ids) ? ids.length : undefined
  }

  #argument(field: FieldNode, name: string): unknown {
    const value = field.arguments?.find((argument) => argument.name.value === name)?.value
    return value && this.#plain(value)
  }

  /** A variable without a value has the default of the operation. */
  #plain(value: ValueNode): unknown {
    if (value.kind === Kind.INT) return Number(value.value)
    if (value.kind === Kind.LIST) return value.values
    if (value.kind !== Kind.VARIABLE) return undefined
    const { variables, operation } = this.#asked
    const name = value.name.value
    if (variables[name] !== undefined) return variables[name]
    const declared = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)
    return declared?.defaultValue && this.#plain(declared.defaultValue)
  }
}

function fieldOf(type: GraphQLNamedType, name: string) {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined
}

/** Limits of the variables of one operation. They are checked before coercion. */
export const variableLimits = {
  /** Strings, numbers, lists and objects together. */
  values: 1_000,
  depth: 12,
  /**
   * The length of strings and keys. graphql-js quotes a refused value, which takes time in proportion to its length.
   */
  characters: 100_000,
} as const

/** True if the variables exceed a limit. Stops at the first limit that is exceeded. */
export function isLargeValue(variables: Readonly<Record<string, unknown>>): boolean {
  let values = 0
  let characters = 0
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: variables, depth: 0 }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, depth } = next
    values += 1
    if (typeof value === 'string') characters += value.length
    if (values > variableLimits.values || depth > variableLimits.depth || characters > variableLimits.characters)
      return true
    if (typeof value !== 'object' || value === null) continue
    for (const key in value) {
      characters += key.length
      pending.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 })
      if (pending.length > variableLimits.values) return true
    }
  }
  return false
}
