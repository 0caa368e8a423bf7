/** Sends a request of `requests.mjs` and answers with the body as text. Rejects unless all went well. */
export async function askText({ url }, { name, key, body }) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body })
  const text = await answer.text()
  if (answer.status !== 200 || !text.startsWith('{"data":')) throw new Error(`${name}: ${answer.status} ${text}`)
  return text
}

export const ask = async (side, request) => JSON.parse(await askText(side, request)).data

/** What differs between two answers to the same question: when they were given, and what is signed over that. */
const timeless = (text) =>
  text
    .replace(/X-Amz-Date=\w+/g, 'X-Amz-Date=')
    .replace(/X-Amz-Signature=\w+/g, 'X-Amz-Signature=')
    .replace(/"expiresAt":"[^"]+"/g, '"expiresAt":""')

/** The floor is one only as long as it answers the same bytes. */
export async function refuseOtherBytes(sides, request) {
  const [one, other] = (await Promise.all(sides.map((side) => askText(side, request)))).map(timeless)
  if (one === other) return
  const at = [...one].findIndex((character, index) => character !== other[index])
  const around = (text) => text.slice(Math.max(0, at - 80), at + 80)
  throw new Error(`${request.name}: the floor answers otherwise.\n  ${around(one)}\n  ${around(other)}`)
}
