/**
 * The languages of the console's texts. The first one is the default. Add a new catalogue here, and its React Aria strings in
 * `vite.config.ts`.
 */
const languages = { en: 'ltr' } as const satisfies Record<string, 'ltr' | 'rtl'>

type Language = keyof typeof languages

export interface UiLocale {
  /** The language of the texts. */
  readonly language: Language
  readonly direction: 'ltr' | 'rtl'
  /** BCP 47 tag for `Intl` and for React Aria: the reader's own regional variant of `language`, if there is one. */
  readonly formats: string
}

/**
 * Picks the language of the console from the languages that a browser prefers, in order. Tags that are not
 * well-formed ("", "C", "en-US@posix") are skipped, because `Intl` throws a RangeError for them.
 */
export function chooseLocale(preferred: readonly string[]): UiLocale {
  for (const tag of preferred) {
    const wanted = parseTag(tag)
    if (wanted && isSupported(wanted.language)) return localeOf(wanted.language, wanted.region)
  }
  return localeOf('en', undefined)
}

/** Numbers and dates appear inside sentences, so they use the digits and the calendar of the texts in every region. */
function localeOf(language: Language, region: string | undefined): UiLocale {
  const options = { calendar: 'gregory', numberingSystem: 'latn', ...(region && { region }) }
  return { language, direction: languages[language], formats: new Intl.Locale(language, options).toString() }
}

function parseTag(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag)
  } catch {
    return null
  }
}

const isSupported = (language: string): language is Language => Object.hasOwn(languages, language)

/** Node has a `navigator` from version 21 on. */
const preferredLanguages = (): readonly string[] => globalThis.navigator?.languages ?? []

/** The locale of this page. It stays the same until the page is loaded again. */
export const uiLocale = chooseLocale(preferredLanguages())

/** Tells the browser which language the page is in, for screen readers, hyphenation and translation. */
export function applyLocale(): void {
  document.documentElement.lang = uiLocale.language
  document.documentElement.dir = uiLocale.direction
}
