/** Which face a window screen shows. Pure. */
import type { HallDocument, WindowDocument } from '../core/wire'

export type Face = 'connecting' | 'say' | 'call' | 'serving' | 'invite' | 'paused' | 'wait' | 'shut' | 'off'

/** A call comes before the invitation of the one before: the next citizen is on the way. */
export function faceOf(hall: HallDocument | undefined, window: WindowDocument | undefined): Face {
  if (hall === undefined || window === undefined) return 'connecting'
  if (hall.message?.kind === 'emergency') return 'say'
  if (window.state === 'called') return 'call'
  if (window.inviting) return 'invite'
  switch (window.state) {
    case 'serving': return 'serving'
    case 'paused': return 'paused'
    case 'idle': return hall.state === 'closed' ? 'off' : 'wait'
    // Nobody sits here while the hall is open: that is no closing time.
    case 'closed': return hall.state === 'open' || hall.state === 'closing' ? 'shut' : 'off'
  }
}
