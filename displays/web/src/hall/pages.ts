/** The pages of the bottom line: who prepares, who was missed, and notices. Pure. */
import { pageMs, pagesOf } from '../core/fit'

export interface LinePage {
  key: string
  label: string
  numbers: string[]
  text: string
  forMs: number
}

export interface LineTexts {
  prepare: string
  passed: string
  rule: string
}

/** Room of the line: hanzi at 60 px beside the page mark. */
const ROOM = { wide: 26, tall: 14 }
const NUMBERS = { wide: 7, tall: 4 }
const MISSED = 4
/** Room that a label takes. */
const LABEL = 3

function numbered(key: string, label: string, numbers: string[], most: number): LinePage[] {
  const pages: LinePage[] = []
  for (let from = 0; from < numbers.length; from += most) {
    const some = numbers.slice(from, from + most)
    pages.push({ key: `${key}${from}`, label, numbers: some, text: '', forMs: Math.max(4000, some.length * 900) })
  }
  return pages
}

/** UX D-04, D-05, D-07. A message of the kind notice comes first. */
export function linePages(prepare: string[], passed: string[], notices: string[], tall: boolean, texts: LineTexts): LinePage[] {
  const shape = tall ? 'tall' : 'wide'
  const written: LinePage[] = []
  notices.forEach((notice, at) => {
    pagesOf(notice, ROOM[shape]).forEach((text, part) => written.push({ key: `n${at}.${part}`, label: '', numbers: [], text, forMs: pageMs(text) }))
  })
  return [
    ...written,
    ...numbered('p', texts.prepare, prepare, NUMBERS[shape]),
    ...numbered('m', texts.passed, passed, MISSED),
    ...(passed.length > 0 ? pagesOf(texts.rule, ROOM[shape] - LABEL).map((text, at) => ({ key: `r${at}`, label: texts.passed, numbers: [], text, forMs: pageMs(text) })) : []),
  ]
}
