declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's address of the cluster that this test run has for itself. */
    postgresUrl: string
  }
}

export {}
