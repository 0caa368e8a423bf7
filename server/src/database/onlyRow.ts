/**
 * The row of a statement that always returns exactly one, such as an aggregate without GROUP BY. Any other number is a
 * defect of ours: a default would turn it into a count of zero, which sweeps and limits believe.
 */
export function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Error(`A statement returned ${rows.length} rows instead of one`)
  return row
}
