import {
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isListType,
  isObjectType,
  isInterfaceType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'
import { limits } from '../domain/limits.ts'

/**
 * What one operation may ask for, measured after fragments are expanded, since a few hundred bytes of nested fragments
 * can stand for any number of fields. The walk stops at the first bound that is passed, so that measuring is cheap too.
 */
export const operationLimits = {
  tokens: 3_000,
  depth: 18,
  fields: 2_000,
  rootFields: 30,
  aliases: 60,
  repeatsOfOneField: 40,
  /** Fields of the answer: each row of a page counts. */
  cost: 20_000,
  /** What a list without a page size counts as. */
  rowsOfPlainList: 5,
} as const

export interface MeasuredOperation {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly variables: Readonly<Record<string, unknown>>
}

/** True for an operation that asks for too much. Which bound it passed is nobody's business. */
export function asksTooMuch(measured: MeasuredOperation): boolean {
  const root = measured.schema.getRootType(measured.operation.operation)
  if (!root) return false
  const walk = new Walk(measured)
  walk.enter(measured.operation.selectionSet, { type: root, depth: 1, rows: 1 })
  return walk.passedABound
}

interface Place {
  readonly type: GraphQLNamedType
  readonly depth: number
  /** How many objects of this type the answer may hold. */
  readonly rows: number
  /** The page size, inside a connection. */
  readonly pageRows?: number
}

class Walk {
  passedABound = false
  readonly #measured: MeasuredOperation
  #fields = 0
  #aliases = 0
  #cost = 0

  constructor(measured: MeasuredOperation) {
    this.#measured = measured
  }

  enter(selections: SelectionSetNode, place: Place): void {
    const repeats = new Map<string, number>()
    this.#select(selections, place, repeats)
    if (place.depth === 1) this.#hold(sum(repeats.values()) <= operationLimits.rootFields)
  }

  /** Fragments add to the same level, and to the same counts, as the fields beside them. */
  #select(selections: SelectionSetNode, place: Place, repeats: Map<string, number>): void {
    for (const selection of selections.selections) {
      if (this.passedABound) return
      if (selection.kind === Kind.FIELD) this.#field(selection, place, repeats)
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#select(selection.selectionSet, this.#narrowed(place, selection.typeCondition?.name.value), repeats)
      } else {
        const fragment = this.#measured.fragments.get(selection.name.value)
        // An empty fragment spread many times visits no field, so each spread counts as one.
        this.#hold(++this.#fields <= operationLimits.fields)
        if (fragment)
          this.#select(fragment.selectionSet, this.#narrowed(place, fragment.typeCondition.name.value), repeats)
      }
    }
  }

  #field(field: FieldNode, place: Place, repeats: Map<string, number>): void {
    const name = field.name.value
    const repeated = (repeats.get(name) ?? 0) + 1
    repeats.set(name, repeated)
    if (field.alias) this.#aliases += 1
    this.#fields += 1
    this.#cost += place.rows
    this.#hold(
      this.#fields <= operationLimits.fields &&
        this.#aliases <= operationLimits.aliases &&
        this.#cost <= operationLimits.cost &&
        repeated <= operationLimits.repeatsOfOneField &&
        place.depth <= operationLimits.depth,
    )
    if (field.selectionSet && !this.passedABound) this.enter(field.selectionSet, this.#inside(field, place))
  }

  #inside(field: FieldNode, place: Place): Place {
    const { schema } = this.#measured
    const definition = schema.getType(place.type.name) && fieldOf(place.type, field.name.value)
    const depth = place.depth + 1
    // Introspection is not in the type's own fields; its depth is bounded here and by graphql's own rule.
    if (!definition) return { type: schema.getQueryType() ?? place.type, depth, rows: place.rows }
    const type = getNamedType(definition.type)
    if (type.name.endsWith('Connection')) return { type, depth, rows: place.rows, pageRows: this.#pageRows(field) }
    if (!isListType(getNullableType(definition.type))) return { type, depth, rows: place.rows }
    return {
      type,
      depth,
      rows: place.rows * (place.pageRows ?? this.#idCount(field) ?? operationLimits.rowsOfPlainList),
    }
  }

  #narrowed(place: Place, condition: string | undefined): Place {
    const type = condition === undefined ? undefined : this.#measured.schema.getType(condition)
    return type ? { ...place, type } : place
  }

  #pageRows(field: FieldNode): number {
    const asked = this.#argument(field, 'first') ?? this.#argument(field, 'last')
    const rows = typeof asked === 'number' && asked >= 0 ? asked : limits.pageRows
    // A larger page is refused where it is asked for.
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

  /** A variable that was not sent has the default that the operation gives it. */
  #plain(value: ValueNode): unknown {
    if (value.kind === Kind.INT) return Number(value.value)
    if (value.kind === Kind.LIST) return value.values
    if (value.kind !== Kind.VARIABLE) return undefined
    const { variables, operation } = this.#measured
    const name = value.name.value
    if (variables[name] !== undefined) return variables[name]
    const declared = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)
    return declared?.defaultValue && this.#plain(declared.defaultValue)
  }

  #hold(isWithin: boolean): void {
    if (!isWithin) this.passedABound = true
  }
}

function fieldOf(type: GraphQLNamedType, name: string) {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined
}

const sum = (numbers: Iterable<number>): number => {
  let total = 0
  for (const number of numbers) total += number
  return total
}
