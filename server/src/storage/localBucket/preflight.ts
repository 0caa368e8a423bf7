import type { Reply } from './bucket.ts'
import { corsHeaders, corsQuestion, matchingRule } from './corsRule.ts'
import type { CorsStore } from './corsStore.ts'
import { S3Error } from './s3Error.ts'
import type { S3Request } from './s3Request.ts'

/** What a browser asks before it sends a request of another origin. The only request that needs no signature. */
export function answerPreflight(request: S3Request, cors: CorsStore): Reply {
  const question = corsQuestion(request.http, true)
  if (!question || question.method === '') {
    throw new S3Error('BadRequest', 'Insufficient information. Origin and Access-Control-Request-Method are needed.')
  }
  const rules = cors.rules()
  if (rules.length === 0) throw new S3Error('AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket.')
  const rule = matchingRule(rules, question)
  if (!rule) throw new S3Error('AccessForbidden')
  return { status: 200, headers: { ...corsHeaders(rule, question), vary: preflightVary } }
}

const preflightVary = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

/** The headers that let a browser read the answer to an actual request, also when that is a refusal. */
export function answerHeaders(request: S3Request, cors: CorsStore): Record<string, string> {
  const rules = cors.rules()
  if (rules.length === 0) return {}
  const question = corsQuestion(request.http, false)
  const rule = question && matchingRule(rules, question)
  return { ...(rule && corsHeaders(rule, question)), vary: preflightVary }
}
