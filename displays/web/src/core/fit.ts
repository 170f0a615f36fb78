/** How text is cut and scaled to a place of known width. Pure. */

/** Width of a text in figures: a hanzi counts as two, a narrow mark as half. */
export function figures(text: string): number {
  let width = 0
  for (const letter of text) width += letter > '\u2e7f' ? 1.75 : /[\s.,:;'\-–·il1|]/.test(letter) && letter !== '1' ? 0.5 : 1
  return width
}

/** Factor at most 1 by which a font shrinks so that `text` fits a place of `room` figures. */
export function fit(text: string, room: number): number {
  const width = figures(text)
  return width <= room ? 1 : Math.round((room / width) * 1000) / 1000
}

/** Cuts a notice into pages of at most `room` hanzi, after a mark where there is one (UX D-07). */
export function pagesOf(text: string, room: number): string[] {
  const pages: string[] = []
  let rest = text.trim()
  while (figures(rest) > room * 1.75) {
    let end = 0
    let width = 0
    while (end < rest.length && width + figures(rest[end]) <= room * 1.75) width += figures(rest[end++])
    const head = rest.slice(0, end)
    const last = (signs: string) => Math.max(...signs.split('').map((sign) => head.lastIndexOf(sign)))
    const mark = last('；。;')
    const comma = Math.max(last('，、：,'), head.lastIndexOf(' '))
    const cut = mark >= end / 3 ? mark + 1 : comma >= end / 3 ? comma + 1 : end
    pages.push(rest.slice(0, cut).replace(/[，、；,;]$/, '').trim())
    rest = rest.slice(cut).trim()
  }
  return rest === '' ? pages : [...pages, rest]
}

/** How long a page stays: at least 4 s and 0.3 s a hanzi (UX D-07). */
export function pageMs(text: string): number {
  return Math.max(4000, Math.ceil(figures(text) / 1.75) * 300)
}
