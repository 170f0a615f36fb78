/** The test pattern's lines and words on screens of every size (UX D-16). */
import { describe, expect, it } from 'vitest'
import { measure, sizeOf } from '../src/pattern/measures'

describe('the grid', () => {
  it.each([[1920, 1080], [1080, 1920], [3840, 2160], [1024, 600], [1366, 768], [512, 128], [256, 64]])('of %i x %i is of squares, alike at opposite edges', (width, height) => {
    const found = measure(width, height)
    for (const [lines, length] of [[found.xs, width], [found.ys, height]] as const) {
      expect(lines[0]).toBeLessThanOrEqual(found.cell)
      expect(lines[0]).toBeGreaterThan(0)
      expect(lines[0] + lines[lines.length - 1]).toBeCloseTo(length)
      for (let at = 1; at < lines.length; at += 1) expect(lines[at] - lines[at - 1]).toBeCloseTo(found.cell)
    }
  })
  it('keeps words 3 % from the edges', () => {
    expect([measure(1920, 1080).marginX, measure(1920, 1080).marginY].map((px) => Math.round(px * 10) / 10)).toEqual([57.6, 32.4])
  })
  it('knows upright screens and strips', () => {
    expect([[1920, 1080], [1080, 1920], [512, 128], [256, 64]].map(([width, height]) => measure(width, height).form)).toEqual(['wide', 'tall', 'low', 'tiny'])
  })
})

describe('the name', () => {
  it('stands in its room, in one line or two', () => {
    expect(sizeOf('屏-03', 150, 1200)).toBe(150)
    const long = '云水高新技术产业开发区政务服务中心等候区大屏'
    expect(sizeOf(long, 150, 1200) * long.length).toBeLessThanOrEqual(1200)
    expect(sizeOf(long, 150, 1200, 2) * (long.length + 2)).toBeLessThanOrEqual(2400)
    expect(sizeOf(long, 150, 1200, 2)).toBeGreaterThan(sizeOf(long, 150, 1200))
  })
})
