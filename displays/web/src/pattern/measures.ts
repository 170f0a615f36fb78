/** Where the lines of a test pattern run, and how large its words are, for a page of any size. Pure. */
import { figures } from '../core/fit'

export interface Measures {
  width: number
  height: number
  /** What one unit of the layout's canvas is in CSS pixels. */
  unit: number
  /** wide and tall have everything; a low one (a strip of a wall) has name, place and colours, a tiny one name and colours. */
  form: 'wide' | 'tall' | 'low' | 'tiny'
  /** Side of a square of the grid. */
  cell: number
  /** Upright lines, and lying ones: from the middle outwards, so that what is cut is cut alike at opposite edges. */
  xs: number[]
  ys: number[]
  /** UX D-16: words keep this far from the edges. */
  marginX: number
  marginY: number
}

const CANVAS = { wide: [1600, 900], tall: [900, 1600], low: [1000, 250], tiny: [250, 64] } as const

function lines(length: number, cell: number): number[] {
  const found = [length / 2]
  for (let at = length / 2 + cell; at < length - 1; at += cell) found.push(at, length - at)
  return found.sort((a, b) => a - b)
}

export function measure(width: number, height: number): Measures {
  const form = height < 100 || width < 200 ? 'tiny' : height < 300 || width / height > 3.2 ? 'low' : width >= height ? 'wide' : 'tall'
  const [w, h] = CANVAS[form]
  // The longer side of a usual screen has sixteen squares: 120 px of 1920, and the same upright.
  const cell = Math.max(width, height) / (form === 'wide' || form === 'tall' ? 16 : 32)
  return { width, height, form, unit: Math.min(width / w, height / h), cell, xs: lines(width, cell), ys: lines(height, cell), marginX: 0.03 * width, marginY: 0.03 * height }
}

/** Font size of a text that stands in lines `room` wide, at most `size`; an em is 1.75 figures wide. A second line loses a word's end. */
export function sizeOf(text: string, size: number, room: number, lines = 1): number {
  const one = (1.7 * room) / Math.max(1, figures(text))
  return Math.min(size, lines > 1 && one < size / 2 ? 1.7 * one : one)
}
