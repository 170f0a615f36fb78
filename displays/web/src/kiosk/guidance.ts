/** Which sentence of the voice belongs to what the kiosk shows (UX K-06, K-07, K-10); the sentences are the server's. Pure. */
import type { Say } from '../core/wire'
import { paperOf, type Session } from './session'

export type Said = Pick<Say, 'phrase' | 'number' | 'ahead'>

function plain(phrase: string): Said {
  return { phrase, number: '', ahead: -1 }
}

/** Null for pages of the staff, and while the server that speaks is away. */
export function sentenceFor(session: Session, paused: 'connecting' | 'offline' | 'closed' | null): Said | null {
  const { page } = session
  if (session.askedAt !== null) return plain('still')
  switch (page.name) {
    case 'result': {
      const paper = paperOf(page.paper, page.taken.ticket.print_state, page.reprint, page.back)
      const phrase = paper === 'back' ? 'back' : paper === 'screen' || paper === 'failed' ? 'photo' : 'paper'
      return { phrase, number: page.taken.ticket.number, ahead: page.taken.ticket.ahead }
    }
    case 'refused': return plain('refused')
    case 'help': return plain({ asked: 'calling', told: 'help', failed: 'help_failed' }[page.state])
    case 'pin': case 'staff': return null
    default: return paused === null ? plain(page.name) : paused === 'closed' ? plain('closed') : null
  }
}
