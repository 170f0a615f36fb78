/** A message that covers a screen (UX D-08). Pure. */

/** An urgent text as its headline and the lines under it. */
export function sayLines(text: string): { head: string; lines: string[] } {
  const parts = text.replace(/([。！!]|\.\s)/g, '$1\n').split('\n').map((part) => part.trim().replace(/。$/, '')).filter((part) => part !== '')
  return { head: parts[0] ?? '', lines: parts.slice(1) }
}
