/** Figures over the tiles of the home page. Pure. */
import { figures } from '../core/fit'

/** Official names run to 36 hanzi: longer ones are set smaller, the longest without a sub-line. */
export function lengthOf(name: string): '' | 'l2' | 'l3' {
  const width = figures(name)
  return width <= 19 ? '' : width <= 44 ? 'l2' : 'l3'
}
