import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import type { GraphQLFieldResolver } from 'graphql'
import { Refusal } from '../../domain/refusals.ts'
import type { RequestContext } from '../requestContext.ts'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- where Pothos looks for plugins
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      tallyRefusals: TallyRefusals<Types>
    }
  }
}

/** Tallies the refusals that the plugin for errors turns into members of a result union. */
class TallyRefusals<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolve: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (parentType !== 'Mutation') return resolve
    return async (parent, args, context, info) => {
      try {
        return await resolve(parent, args, context, info)
      } catch (error) {
        const { tally } = context as RequestContext
        if (error instanceof Refusal) tally.codes.add(error.code)
        throw error
      }
    }
  }
}

/** The name of the plugin. It has to come after the plugin for errors, so that it sees them first. */
export const tallyRefusals = 'tallyRefusals'
SchemaBuilder.registerPlugin(tallyRefusals, TallyRefusals)
