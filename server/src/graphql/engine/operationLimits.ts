import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getIntrospectionQuery,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql'
import { schema } from '../schema.ts'

/**
 * Limits of one document. They are measured on the parsed text, before validation, because some validation rules take
 * quadratic time. Fragments are expanded first, because a few hundred bytes of nested fragments can select any number
 * of fields. Measuring stops at the first limit that is exceeded.
 */
export interface DocumentBounds {
  readonly operations: number
  readonly fragments: number
  readonly depth: number
  /** After expansion, in all operations together. */
  readonly fields: number
  readonly rootFields: number
  readonly aliases: number
  /** The same field at one path of the response. */
  readonly repeatsOfOneField: number
  readonly directives: number
  readonly directivesOfOneNode: number
  /** The nesting of lists and objects in a literal. */
  readonly valueDepth: number
  /** Pairs of fields that validation compares because they have the same path in the response. */
  readonly comparisons: number
}

export const operationLimits = {
  /** The parser stops at this number. */
  tokens: 3_000,
  operations: 20,
  fragments: 100,
  depth: 18,
  fields: 2_000,
  rootFields: 30,
  aliases: 60,
  repeatsOfOneField: 40,
  directives: 60,
  directivesOfOneNode: 5,
  valueDepth: 10,
  comparisons: 4_000,
} as const satisfies DocumentBounds & { readonly tokens: number }

/** Limits without credentials. They allow the full introspection query and a console page whose session has expired. */
export const anonymousLimits: DocumentBounds = {
  operations: 5,
  fragments: 20,
  depth: 18,
  fields: 400,
  rootFields: 5,
  aliases: 10,
  repeatsOfOneField: 10,
  directives: 20,
  directivesOfOneNode: 2,
  valueDepth: 5,
  comparisons: 200,
}

/** The number of introspection fields that one operation may select at its root. */
export const introspectionRoots = { __schema: 1, __type: 4 } as const

export interface MeasuredDocument {
  /** True if the document exceeds a limit. The caller is not told which one. */
  readonly asksTooMuch: boolean
  /** True if an operation reads more than the schema, and therefore needs a caller. */
  readonly readsData: boolean
}

export function measureDocument(document: DocumentNode, bounds: DocumentBounds): MeasuredDocument {
  const measure = new Measure(document, bounds, introspectionBudget)
  measure.run()
  return { asksTooMuch: measure.passedABound, readsData: measure.readsData }
}

/** One path of the response: the fields with the same response name and the same parents. */
interface Place {
  readonly selections: readonly SelectionSetNode[]
  readonly depth: number
  /** The number of objects that introspection can return here. Null outside introspection. */
  readonly described: number | null
}

class Measure {
  passedABound = false
  readsData = false
  introspectionCost = 0
  readonly #document: DocumentNode
  readonly #bounds: DocumentBounds
  readonly #introspectionBudget: number
  readonly #fragments = new Map<string, FragmentDefinitionNode>()
  #fields = 0
  #aliases = 0
  #comparisons = 0
  #directives = 0

  constructor(document: DocumentNode, bounds: DocumentBounds, introspectionBudget: number) {
    this.#document = document
    this.#bounds = bounds
    this.#introspectionBudget = introspectionBudget
  }

  run(): void {
    const operations: OperationDefinitionNode[] = []
    for (const definition of this.#document.definitions) {
      if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition)
    }
    const others = this.#document.definitions.length - operations.length
    this.#hold(operations.length <= this.#bounds.operations && others <= this.#bounds.fragments)
    this.#look(this.#document, 0)
    for (const { selectionSet } of operations) this.#enter({ selections: [selectionSet], depth: 1, described: null })
  }

  /** Visits each node once, including fragments that no operation uses. */
  #look(node: ASTNode, valueDepth: number): void {
    if (this.passedABound) return
    const isNested = node.kind === Kind.LIST || node.kind === Kind.OBJECT
    const depth = isNested ? valueDepth + 1 : valueDepth
    const directives = 'directives' in node ? (node.directives?.length ?? 0) : 0
    this.#directives += directives
    this.#hold(
      depth <= this.#bounds.valueDepth &&
        directives <= this.#bounds.directivesOfOneNode &&
        this.#directives <= this.#bounds.directives,
    )
    for (const part of Object.values(node)) {
      if (Array.isArray(part)) for (const child of part) this.#look(child, depth)
      else if (isNode(part) && part.kind !== Kind.NAME) this.#look(part, depth)
    }
  }

  #enter(place: Place): void {
    if (this.passedABound) return
    const fields = new Map<string, FieldNode[]>()
    const repeats = new Map<string, number>()
    const collect = (field: FieldNode) => {
      this.#count(field, place, repeats)
      const name = (field.alias ?? field.name).value
      const same = fields.get(name)
      if (same) same.push(field)
      else fields.set(name, [field])
    }
    for (const selections of place.selections) this.#expand(selections, collect, [])
    if (place.depth === 1) this.#holdRoot(repeats)
    for (const same of fields.values()) this.#follow(same, place)
  }

  /**
   * Adds the fields of a fragment to the path where it is spread. Validation reports a fragment that contains itself.
   */
  #expand(selections: SelectionSetNode, collect: (field: FieldNode) => void, inside: readonly string[]): void {
    for (const selection of selections.selections) {
      if (this.passedABound) return
      if (selection.kind === Kind.FIELD) {
        collect(selection)
        continue
      }
      // Nested fragments can contain no field, so each spread counts as one.
      this.#hold(++this.#fields <= this.#bounds.fields && inside.length <= this.#bounds.fragments)
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#expand(selection.selectionSet, collect, [...inside, '...'])
        continue
      }
      const name = selection.name.value
      const fragment = inside.includes(name) ? undefined : this.#fragments.get(name)
      if (fragment) this.#expand(fragment.selectionSet, collect, [...inside, name])
    }
  }

  #count(field: FieldNode, { depth, described }: Place, repeats: Map<string, number>): void {
    const name = field.name.value
    const repeated = (repeats.get(name) ?? 0) + 1
    repeats.set(name, repeated)
    if (field.alias) this.#aliases += 1
    this.#fields += 1
    this.introspectionCost += described ?? 0
    this.#hold(
      this.#fields <= this.#bounds.fields &&
        this.#aliases <= this.#bounds.aliases &&
        repeated <= this.#bounds.repeatsOfOneField &&
        depth <= this.#bounds.depth &&
        this.introspectionCost <= this.#introspectionBudget,
    )
  }

  #holdRoot(repeats: ReadonlyMap<string, number>): void {
    let rootFields = 0
    for (const [name, count] of repeats) {
      rootFields += count
      if (!name.startsWith('__')) this.readsData = true
      if (Object.hasOwn(introspectionRoots, name)) {
        this.#hold(count <= introspectionRoots[name as keyof typeof introspectionRoots])
      }
    }
    this.#hold(rootFields <= this.#bounds.rootFields)
  }

  #follow(same: readonly FieldNode[], { depth, described }: Place): void {
    this.#comparisons += (same.length * (same.length - 1)) / 2
    this.#hold(this.#comparisons <= this.#bounds.comparisons)
    const selections = same.flatMap(({ selectionSet }) => selectionSet ?? [])
    const [field] = same
    if (!field || selections.length === 0) return
    this.#enter({ selections, depth: depth + 1, described: describedIn(field.name.value, depth, described) })
  }

  #hold(isWithin: boolean): void {
    if (!isWithin) this.passedABound = true
  }
}

const isNode = (part: unknown): part is ASTNode => typeof part === 'object' && part !== null && 'kind' in part

function describedIn(field: string, depth: number, described: number | null): number | null {
  if (described !== null) return described * (rowsOfIntrospection[field] ?? 1)
  return depth === 1 && Object.hasOwn(introspectionRoots, field) ? 1 : null
}

/** The average number of objects in each introspection list of this schema. */
const rowsOfIntrospection: Record<string, number> = averages(schema)

function averages(of: GraphQLSchema): Record<string, number> {
  const types = Object.values(of.getTypeMap())
  const fields = types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [],
  )
  const args = fields.flatMap((field) => field.args)
  const inputFields = types.flatMap((type) => (isInputObjectType(type) ? Object.values(type.getFields()) : []))
  const enumValues = types.flatMap((type) => (isEnumType(type) ? type.getValues() : []))
  const possible = types.flatMap((type) => (isAbstractType(type) ? of.getPossibleTypes(type) : []))
  const interfaces = types.flatMap((type) => (isObjectType(type) ? type.getInterfaces() : []))
  const each = { fields, inputFields, enumValues, possibleTypes: possible, interfaces }
  return {
    types: types.length,
    directives: of.getDirectives().length,
    args: args.length / fields.length,
    ...Object.fromEntries(Object.entries(each).map(([name, parts]) => [name, parts.length / types.length])),
  }
}

/** Twice the cost of the full introspection query of graphql-js. Tools send that query with small variations. */
const introspectionBudget = 2 * fullIntrospectionCost()

function fullIntrospectionCost(): number {
  const everything = { schemaDescription: true, specifiedByUrl: true, inputValueDeprecation: true, oneOf: true }
  const text = getIntrospectionQuery({ ...everything, directiveIsRepeatable: true })
  const full = new Measure(parse(text), operationLimits, Number.POSITIVE_INFINITY)
  full.run()
  return full.introspectionCost
}
