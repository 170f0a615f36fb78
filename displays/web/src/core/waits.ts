/** Waits as people say them: a range in minutes, never a second (UX P-02). Pure. */

/** "15–25" or "20" for an estimate in seconds; null when it is unknown. Less than a minute is one minute. */
export function minutesRange(lowS: number | null, highS: number | null): string | null {
  if (lowS === null || highS === null) return null
  const low = Math.max(1, Math.floor(lowS / 60))
  const high = Math.max(low, Math.ceil(highS / 60))
  return low === high ? String(low) : `${low}–${high}`
}

/** Splits a sentence into words and figures, so that figures can be set larger: figures have `n` true. */
export function splitFigures(text: string): { text: string; n: boolean }[] {
  return text.split(/([A-Z]*\d[\d–:]*)/).filter((part) => part !== '').map((part) => ({ text: part, n: /\d/.test(part) }))
}
