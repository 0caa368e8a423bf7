/**
 * Returns the row of a statement that always returns exactly one, such as an aggregate without GROUP BY. Any other
 * number is a defect. A default would hide it as a count of zero, which sweeps and limits would use.
 */
export function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Error(`A statement returned ${rows.length} rows instead of one`)
  return row
}
