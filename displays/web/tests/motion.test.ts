/** UX X-05: nothing flashes faster than once a second or longer than five; X-04: one place takes all of it off. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { turnAt } from '../src/led/turn'

const SOURCES = resolve(import.meta.dirname, '../src')
const MOST_HZ = 1
const MOST_MS = 5000

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(css|vue|ts)$/.test(name))
const texts = files.map((name) => ({ name, text: readFileSync(resolve(SOURCES, name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '') }))
const everything = texts.map(({ text }) => text).join('\n')

const inMs = (time: string) => parseFloat(time) * (time.endsWith('ms') ? 1 : 1000)

/** How often a set of key frames leaves its first frame: what one turn of the animation flashes. */
function flashesOf(name: string): number {
  const body = new RegExp(`@keyframes\\s+${name}\\s*\\{((?:[^{}]*\\{[^{}]*\\})*)`).exec(everything)
  if (body === null) throw new Error(`no key frames ${name}`)
  const between = [...body[1].matchAll(/([^{}]+)\{/g)].flatMap(([, stops]) => stops.split(',').map((stop) => stop.trim()))
  return between.filter((stop) => !['0%', '100%', 'from', 'to'].includes(stop)).length
}

describe('UX X-05', () => {
  const declared = texts.flatMap(({ name, text }) => [...text.matchAll(/[\s;{](animation(?:-[a-z-]+)?)\s*:\s*([^;}]+)/g)].map(([, property, value]) => ({ name, property, value: value.trim() })))
  const moving = declared.filter(({ value }) => !/^none\b/.test(value))

  it('knows every animation: shorthands only, so that nothing is put together from two places', () => {
    expect(moving.length).toBeGreaterThan(0)
    expect(moving.filter(({ property }) => property !== 'animation')).toEqual([])
    expect(texts.filter(({ text }) => /\.animate\(|<animate|<marquee|<blink|startViewTransition|behavior:\s*['"]?smooth/.test(text)).map(({ name }) => name)).toEqual([])
  })

  it.each(moving)('$name: $value is at most 1 Hz and over after 5 s', ({ value }) => {
    const times = (value.match(/(?<![\w.])[\d.]+m?s\b/g) ?? []).map(inMs)
    const counts = value.match(/(?<![\w.])\d+(?![\w.%])/g) ?? []
    const name = value.split(/\s+/)[0]
    expect(value).not.toMatch(/infinite/)
    expect([times.length, counts.length]).toEqual([1, 1])
    expect((flashesOf(name) * 1000) / times[0]).toBeLessThanOrEqual(MOST_HZ)
    expect(times[0] * Number(counts[0])).toBeLessThanOrEqual(MOST_MS)
  })

  it('a board of dots on a screen: three flashes of half a second on, half a second off, then steady (W-07)', () => {
    const dark: number[] = []
    let before = false
    let changed = 0
    for (let at = 0; at < 20_000; at += 10) {
      const now = turnAt([2500], true, at).dark
      if (now !== before) changed = at
      if (now && !before) dark.push(at)
      before = now
    }
    expect(dark.length).toBe(3)
    for (let each = 1; each < dark.length; each += 1) expect(dark[each] - dark[each - 1]).toBeGreaterThanOrEqual(1000 / MOST_HZ)
    expect(changed).toBeLessThanOrEqual(MOST_MS)
  })
})

describe('UX X-04', () => {
  const base = readFileSync(resolve(SOURCES, 'look/base.css'), 'utf8')

  it("the hall's switch does to every element what the looker's own wish does", () => {
    const byHall = /\[data-motion="off"\] \* \{([^}]*)\}/.exec(base)
    const byLooker = /@media \(prefers-reduced-motion: reduce\) \{ \* \{([^}]*)\}/.exec(base)
    expect(byHall?.[1]).toBe(byLooker?.[1])
    expect(byHall?.[1]).toMatch(/animation: none !important; transition: none !important/)
  })

  it('is in the style of every page', () => {
    const mains = texts.filter(({ name }) => /^\w+\/main\.ts$/.test(name))
    expect(mains.length).toBeGreaterThan(10)
    expect(mains.filter(({ text }) => !text.includes("'../look/base.css'")).map(({ name }) => name)).toEqual([])
  })
})
