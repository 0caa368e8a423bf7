/**
 * What `npm run test:mutation -- <name>` breaks, which tests have to notice, and how many per cent of the changes they have
 * to notice; `pure` tests need no database. Paths of code are below `server/src`, those of tests filters of vitest. Survivors are in CONTRIBUTING.md.
 */
export const mutationRuns = {
  purge: {
    mutate: ['domain/sweeps/purge/gates.ts', 'domain/sweeps/purge/readEvidence.ts', 'domain/sweeps/runs/rails.ts'],
    tests: ['src/domain/sweeps', 'test/faults/evidence', 'test/faults/rails', 'test/faults/gates'],
    atLeast: 95,
  },
  proof: {
    pure: true,
    mutate: ['domain/uploads/proof/proveContent.ts', 'domain/uploads/proof/sniffContent.ts'],
    tests: ['src/domain/uploads/proof'],
    atLeast: 80,
  },
  signing: {
    pure: true,
    mutate: ['storage/signing/signUrl.ts', 'storage/signing/sigV4Query.ts'],
    tests: ['src/storage/signing'],
    atLeast: 80,
  },
  identity: {
    mutate: [
      'domain/identity/authenticate/authenticate.ts',
      'domain/identity/authenticate/apiKey.ts',
      'domain/identity/authenticate/session.ts',
      'domain/identity/authenticate/token.ts',
    ],
    tests: ['src/domain/identity', 'src/http/authentication', 'src/http/session', 'test/revokedKey'],
    atLeast: 80,
  },
  paging: {
    pure: true,
    mutate: ['domain/paging/cursor.ts', 'domain/paging/page.ts'],
    tests: ['src/domain/paging'],
    atLeast: 80,
  },
}
