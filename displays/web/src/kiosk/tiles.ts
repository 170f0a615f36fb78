/** Figures over the tiles of the home page. Pure. */
import { figures } from '../core/fit'
import type { MenuEntry } from '../core/wire'

/** How many wait in the hall: domains and the group of bundles hold everybody; frequent matters would count twice. */
export function hallWaiting(tiles: MenuEntry[]): number {
  const groups = tiles.filter((tile) => tile.kind === 'domain' || tile.kind === 'bundles')
  return (groups.length > 0 ? groups : tiles).reduce((sum, tile) => sum + tile.waiting, 0)
}

/** Official names run to 36 hanzi: longer ones are set smaller, the longest without a sub-line. */
export function lengthOf(name: string): '' | 'l2' | 'l3' {
  const width = figures(name)
  return width <= 19 ? '' : width <= 44 ? 'l2' : 'l3'
}
