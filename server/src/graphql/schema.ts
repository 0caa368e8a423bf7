import type { GraphQLSchema } from 'graphql'
import { builder } from './builder.ts'
import './scalars.ts'
import './refusalTypes.ts'
import './Node.ts'
import './Tenant.ts'
import './Viewer.ts'
import './File.ts'
import './fileMutations.ts'
import './UploadIntent.ts'
import './uploadMutations.ts'
import './AuditEntry.ts'
import './ApiKey.ts'

/** The whole API. `schema.graphql` in the top folder is its printed form, and a test holds the two together. */
export const schema: GraphQLSchema = builder.toSchema()
