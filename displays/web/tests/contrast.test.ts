/** UX X-01: the contrast table of tokens.css, recomputed from its own values, and the limits it must keep. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const css = readFileSync(resolve(import.meta.dirname, '../src/look/tokens.css'), 'utf8')

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

const rows = [...css.matchAll(/(\S+)\s+(#[0-9A-F]{6})\s+on (\S+)\s+(#[0-9A-F]{6})\s+([\d.]+)/g)]

describe('UX X-01', () => {
  it('lists the pairs of both surfaces', () => {
    expect(rows.length).toBeGreaterThan(30)
  })
  it.each(rows.map((row) => [`${row[1]} on ${row[3]} (${row[4]})`, row]))('%s', (_, row) => {
    const measured = contrast(row[2], row[4])
    expect(Math.floor(measured * 10 + 0.01) / 10).toBe(Number(row[5]))
    expect(measured).toBeGreaterThanOrEqual(row[1] === 'edge' ? 4.5 : 7)
  })
  it('the values of the table are those in force', () => {
    for (const row of rows) {
      expect(css.slice(css.indexOf(':root'))).toContain(row[2])
      expect(css.slice(css.indexOf(':root'))).toContain(row[4])
    }
  })
})
