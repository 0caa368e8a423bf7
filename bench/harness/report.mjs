import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, platform, release, totalmem } from 'node:os'

const round = (number) =>
  number === null ? 'n/a' : Math.abs(number) >= 100 ? String(Math.round(number)) : number.toPrecision(2)

const isWithin = (is, { least = -Infinity, most = Infinity }) => is >= least && is <= most

const boundText = ({ least, most }) => (least === undefined ? `at most ${most}` : `at least ${least}`)

/**
 * Prints and writes everything that a run found: `comparisons`, `facts`, `targets`, as the scenarios hand them over.
 * Answers with how many targets were met and how many were not.
 */
export function report(found, { isQuick, options }) {
  const comparisons = found.flatMap((part) => part.comparisons ?? [])
  const facts = found.flatMap((part) => part.facts ?? [])
  const targets = found.flatMap((part) => part.targets ?? []).map((target) => judge(target, isQuick))
  print('Product (A) and floor (B), medians of the rounds; CPU in µs a request', comparisons.map(rowOf))
  print('Measured', facts)
  const rows = targets.map(({ what, is, wanted, verdict }) => ({
    target: what,
    is: round(is),
    wanted: boundText(wanted),
    verdict,
  }))
  print(isQuick ? 'Generous bounds' : 'Targets', rows)
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: totalmem() / 1024 ** 3,
    system: `${platform()} ${release()}`,
    node: process.version,
  }
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const written = { at: new Date().toISOString(), machine, options, comparisons, facts, targets }
  writeFileSync(new URL('latest.json', folder), `${JSON.stringify(written, null, 2)}\n`)
  const counted = (wanted) => targets.filter(({ verdict }) => verdict === wanted).length
  return { met: counted('met'), missed: counted('NOT MET') }
}

function judge({ what, is, wanted, generous }, isQuick) {
  const bound = isQuick ? generous : wanted
  const verdict = is === null ? 'not measured' : isWithin(is, bound) ? 'met' : 'NOT MET'
  return { what, is, wanted: bound, verdict }
}

function rowOf({ title, sides: [a, b], throughputRatio, cpuRatio, p99Ratio }) {
  const cpu = (side) => (side.nodeCpu === null ? 'n/a' : `${round(side.nodeCpu)} + ${round(side.postgresCpu)}`)
  return {
    scenario: title,
    'A/s': round(a.requestsPerSecond),
    'B/s': round(b.requestsPerSecond),
    'A/B': throughputRatio.toFixed(2),
    spread: `±${Math.round(Math.max(a.spread, b.spread) * 50)} %`,
    'p50 A, B ms': `${round(a.p50)}, ${round(b.p50)}`,
    'p99 A, B ms': `${round(a.p99)}, ${round(b.p99)}`,
    'p99 A/B': p99Ratio.toFixed(2),
    'CPU A/B': cpuRatio === null ? 'n/a' : cpuRatio.toFixed(2),
    'CPU A (node + pg)': cpu(a),
    'CPU B': cpu(b),
  }
}

function print(title, rows) {
  if (rows.length === 0) return
  const names = Object.keys(rows[0])
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)))
  const line = (cells) =>
    cells
      .map((cell, at) => String(cell).padEnd(widths[at]))
      .join('  ')
      .trimEnd()
  const lines = [
    line(names),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row) => line(names.map((name) => row[name]))),
  ]
  process.stdout.write(`\n${title}\n\n${lines.join('\n')}\n`)
}
