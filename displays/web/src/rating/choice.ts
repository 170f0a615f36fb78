/** What a citizen has chosen on the rating page, and whether it may be sent (UX P-10). Pure. */
import tags from './tags.json'

export interface Tag {
  code: string
  zh: string
  en: string
}

/** RULES 1.5: the tags of a level are fixed by the national page; none may be added or left out. */
export function tagsOf(level: number): Tag[] {
  return (tags as Record<string, Tag[]>)[String(level)] ?? []
}

export interface Choice {
  level: number
  tags: string[]
  text: string
}

/** RULES 1.4: the upload takes 150 characters. */
export const TEXT_MAX = 150

export function isBad(level: number): boolean {
  return level <= 2
}

/** Levels 1 and 2 need a reason, a tag or a few words; the others may go at once. */
export function maySend(choice: Choice): boolean {
  return !isBad(choice.level) || choice.tags.length > 0 || choice.text.trim() !== ''
}

/** Another level starts empty: tags belong to a level. */
export function chooseLevel(level: number): Choice {
  return { level, tags: [], text: '' }
}

export function toggleTag(choice: Choice, code: string): Choice {
  const tags = choice.tags.includes(code) ? choice.tags.filter((one) => one !== code) : [...choice.tags, code]
  return { ...choice, tags }
}
