import type { Call, Operation, Reply } from './bucket.ts'
import { type CorsRule, corsHeaders, corsQuestion, matchingRule, type CorsStore } from './corsRule.ts'
import { maxCorsRules, maxXmlBytes } from './limits.ts'
import { receiveText } from './receiveBody.ts'
import { S3Error } from './s3Error.ts'
import type { S3Request } from './s3Request.ts'
import { childrenNamed, childText, parseXml, type XmlElement, element, xmlDocument } from './xml.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html */
export async function putBucketCors({ bucket, request, proved }: Call): Promise<Reply> {
  const { text } = await receiveText(request, proved, maxXmlBytes)
  const rules = childrenNamed(parseXml(text, 'CORSConfiguration'), 'CORSRule').map(readRule)
  if (rules.length === 0 || rules.length > maxCorsRules) throw new S3Error('MalformedXML')
  bucket.cors.replace(rules)
  return { status: 200 }
}

export const getBucketCors: Operation = ({ bucket }) => {
  const rules = bucket.cors.rules()
  if (rules.length === 0) throw new S3Error('NoSuchCORSConfiguration')
  return { status: 200, body: xmlDocument('CORSConfiguration', rules.map(ruleElement)) }
}

export const deleteBucketCors: Operation = ({ bucket }) => {
  bucket.cors.replace([])
  return { status: 204 }
}

function readRule(rule: XmlElement): CorsRule {
  const texts = (name: string) => childrenNamed(rule, name).map((child) => child.text.trim())
  const allowedOrigins = texts('AllowedOrigin')
  const allowedMethods = texts('AllowedMethod')
  const allowedHeaders = texts('AllowedHeader')
  if (allowedOrigins.length === 0 || allowedMethods.length === 0) throw new S3Error('MalformedXML')
  refuseUnless(
    allowedMethods.every((method) => /^(?:GET|PUT|POST|DELETE|HEAD)$/.test(method)),
    'Found unsupported HTTP method in CORS config.',
  )
  refuseUnless(
    [...allowedOrigins, ...allowedHeaders].every((pattern) => pattern.split('*').length <= 2),
    'AllowedOrigin and AllowedHeader can not have more than one wildcard.',
  )
  const exposeHeaders = texts('ExposeHeader')
  refuseUnless(
    exposeHeaders.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)),
    'An ExposeHeader is not a valid header name.',
  )
  return {
    id: childText(rule, 'ID'),
    allowedOrigins,
    allowedMethods,
    allowedHeaders,
    exposeHeaders,
    maxAgeSeconds: readMaxAge(rule),
  }
}

function readMaxAge(rule: XmlElement): number | undefined {
  const text = childText(rule, 'MaxAgeSeconds')?.trim()
  if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new S3Error('MalformedXML')
  return text === undefined ? undefined : Number(text)
}

function refuseUnless(isRight: boolean, message: string): void {
  if (!isRight) throw new S3Error('InvalidRequest', message)
}

function ruleElement(rule: CorsRule) {
  const all = (name: string, values: readonly string[]) => values.map((value) => element(name, value))
  return element('CORSRule', [
    ...(rule.id === undefined ? [] : [element('ID', rule.id)]),
    ...all('AllowedHeader', rule.allowedHeaders),
    ...all('AllowedMethod', rule.allowedMethods),
    ...all('AllowedOrigin', rule.allowedOrigins),
    ...all('ExposeHeader', rule.exposeHeaders),
    ...(rule.maxAgeSeconds === undefined ? [] : [element('MaxAgeSeconds', rule.maxAgeSeconds)]),
  ])
}

/** Answers a CORS preflight, the only request that needs no signature. */
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

/** Headers that let a browser read the response to a request, including a refusal. */
export function answerHeaders(request: S3Request, cors: CorsStore): Record<string, string> {
  const rules = cors.rules()
  if (rules.length === 0) return {}
  const question = corsQuestion(request.http, false)
  const rule = question && matchingRule(rules, question)
  return { ...(rule && corsHeaders(rule, question)), vary: preflightVary }
}
