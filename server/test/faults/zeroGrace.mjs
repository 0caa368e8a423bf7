/*
 * Loaded before the product in tests that let a whole process delete bytes: no variable allows a grace of zero. Takes the
 * built program as well as its sources.
 */
for (const settings of ['dist/domain/sweeps/runs/settings.js', 'src/domain/sweeps/runs/settings.ts']) {
  try {
    const { usualCleanup } = await import(new URL(`../../${settings}`, import.meta.url))
    usualCleanup.purgeGraceMs = 0
  } catch {
    // Only one of the two is there, or can be read.
  }
}
