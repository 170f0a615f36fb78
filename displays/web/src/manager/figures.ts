/** Shares and names of the counted day. Pure. */
import type { GivenCallsLine, WindowFigures } from '../core/wire'

/** Whole percent of the services of a window for which the citizen was invited to rate; 99 is not rounded up to 100 (RULES 36). */
export function shareOf(line: Pick<WindowFigures, 'served' | 'invited'>): number {
  return line.served === 0 ? 100 : Math.floor((100 * line.invited) / line.served)
}

/** The name with the number that tells two of one name apart. */
export function staffOf(line: Pick<GivenCallsLine, 'staff' | 'staff_name'>): string {
  return line.staff_name === '' ? line.staff : `${line.staff_name} ${line.staff}`
}
