export function firstLoadScripts(): string[]
