import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  printSchema,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../src/graphql/schema.ts'

describe('the schema', () => {
  it('equals schema.graphql; rewrite it with `npm test -- schemaContract --update`', async () => {
    await expect(`${printSchema(schema)}\n`).toMatchFileSnapshot('../../schema.graphql')
  })

  it('has the possible types that docs/possibleTypes.json lists for Apollo Client', async () => {
    const abstract = Object.values(schema.getTypeMap()).filter((type) => isInterfaceType(type) || isUnionType(type))
    const entries = abstract.map((type) => [
      type.name,
      schema
        .getPossibleTypes(type)
        .map(({ name }) => name)
        .toSorted(),
    ])
    const sorted = Object.fromEntries(entries.toSorted(([one], [other]) => String(one).localeCompare(String(other))))
    await expect(`${JSON.stringify(sorted, null, 2)}\n`).toMatchFileSnapshot('../../docs/possibleTypes.json')
  })

  it('describes every type, field, argument and enum value', () => {
    expect(undescribed(schema)).toEqual([])
  })

  it('requires a role at every root field', () => {
    const roots = [schema.getQueryType(), schema.getMutationType()]
    const open = roots.flatMap((root) =>
      Object.values(root?.getFields() ?? {})
        .filter((field) => !(field.extensions['pothosOptions'] as { authScopes?: { role?: string } }).authScopes?.role)
        .map((field) => field.name),
    )
    expect(open).toEqual([])
  })

  it('has only nullable root fields, so that one refusal keeps the other answers', () => {
    const roots = [schema.getQueryType(), schema.getMutationType()]
    const fields = roots.flatMap((root) => Object.values(root?.getFields() ?? {}))
    expect(fields.filter((field) => isNonNullType(field.type)).map((field) => field.name)).toEqual([])
    expect(fields.length).toBeGreaterThan(20)
  })

  it('accepts null for every argument and input field with a default', () => {
    const withDefault = inputsOf(schema).filter(({ input }) => input.defaultValue !== undefined)
    expect(withDefault.filter(({ input }) => isNonNullType(input.type)).map(({ path }) => path)).toEqual([])
    expect(withDefault.map(({ path }) => path)).toContain('Query.files(orderBy)')
  })

  it('returns from every mutation a union of one success and typed errors', () => {
    for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
      const name = `${field.name.slice(0, 1).toUpperCase()}${field.name.slice(1)}`
      expect(String(field.type)).toBe(`${name}Result`)
      expect(field.args.map((argument) => `${argument.name}: ${String(argument.type)}`)).toEqual([
        `input: ${name}Input!`,
      ])
      const result = schema.getType(`${name}Result`)
      const members = isUnionType(result) ? result.getTypes() : []
      expect(members.filter((member) => member.name === `${name}Success`)).toHaveLength(1)
      for (const member of members) {
        if (member.name === `${name}Success`) continue
        expect(member.getInterfaces().map((type) => type.name)).toEqual(['Error'])
      }
    }
  })
})

interface Input {
  readonly path: string
  readonly input: GraphQLArgument | GraphQLInputField
}

/** Every argument and every field of an input type, introspection aside. */
function inputsOf(of: GraphQLSchema): Input[] {
  const types = Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type))
  return types.flatMap((type) => {
    if (isInputObjectType(type)) {
      return Object.values(type.getFields()).map((input) => ({ path: `${type.name}.${input.name}`, input }))
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return []
    return Object.values(type.getFields()).flatMap((field) =>
      field.args.map((input) => ({ path: `${type.name}.${field.name}(${input.name})`, input })),
    )
  })
}

function undescribed(of: GraphQLSchema): string[] {
  const missing: string[] = []
  const look = (path: string, thing: { readonly description?: string | null | undefined }) => {
    if (!thing.description?.trim()) missing.push(path)
  }
  for (const type of Object.values(of.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue
    look(type.name, type)
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value)
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field)
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field)
      for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name})`, argument)
    }
  }
  return missing
}
