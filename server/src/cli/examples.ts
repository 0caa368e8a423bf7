/** Commands as people type them, under a heading, for the end of a help text. */
export const examples = (...commands: string[]): string =>
  ['', 'Examples:', ...commands.map((command) => `  npm run -s filegraph -- ${command}`)].join('\n')
