import { load } from './load.mjs'
import { median, spread } from './statistics.mjs'

/**
 * Product and floor in turns, after both are warm: whatever else the machine does falls on both. Ratios are those of
 * neighbours, and the median of them counts.
 */
export async function compare({ sides, request, clients, rounds, seconds, warmUpSeconds }) {
  const [a, b] = sides
  for (const side of sides) await load(side, side.request ?? request, { clients, seconds: warmUpSeconds })
  const measured = []
  for (let round = 0; round < rounds; round += 1) {
    const first = await load(a, a.request ?? request, { clients, seconds })
    measured.push([first, await load(b, b.request ?? request, { clients, seconds })])
  }
  const ratioOf = (pick) => median(measured.map(([one, other]) => pick(one) / pick(other)))
  return {
    rounds: measured,
    sides: [0, 1].map((at) => summaryOf(measured.map((round) => round[at]))),
    throughputRatio: ratioOf((side) => side.requestsPerSecond),
    cpuRatio: measured[0][0].nodeCpu === null ? null : ratioOf((side) => side.nodeCpu + side.postgresCpu),
    p99Ratio: ratioOf((side) => side.p99),
  }
}

function summaryOf(rounds) {
  const medianOf = (name) =>
    rounds.some((round) => round[name] === null) ? null : median(rounds.map((round) => round[name]))
  return {
    requestsPerSecond: medianOf('requestsPerSecond'),
    spread: spread(rounds.map((round) => round.requestsPerSecond)),
    p50: medianOf('p50'),
    p99: medianOf('p99'),
    nodeCpu: medianOf('nodeCpu'),
    postgresCpu: medianOf('postgresCpu'),
  }
}
