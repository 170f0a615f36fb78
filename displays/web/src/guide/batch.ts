/**
 * Issuing several tickets in a row: each its own request with its own key, in order, and none before the slip of the one
 * before it is out, for a printer takes a second or two a slip and a print job lives ten (law 7). Stops at the first
 * ticket or slip that fails. Pure.
 */
import type { TicketTaken, Words } from '../core/wire'

export const BATCH_MOST = 20

export interface Batch {
  /** One key a ticket, made when the key was pressed: going on after a lost answer can issue none twice (UX X-12). */
  keys: string[]
  taken: TicketTaken[]
  state: 'running' | 'stopped' | 'done'
  problem: Words | null
  /** The number whose slip did not come out, or nobody knows; '' when all is well. */
  unprinted: string
}

export function begin(keys: string[]): Batch {
  return { keys: keys.slice(0, BATCH_MOST), taken: [], state: keys.length === 0 ? 'done' : 'running', problem: null, unprinted: '' }
}

/** The ticket whose slip is still being printed, and which everything waits for; null when there is none. A single ticket is shown at once. */
export function printing(batch: Batch): TicketTaken | null {
  const last = batch.taken[batch.taken.length - 1]
  return batch.keys.length > 1 && last?.ticket.print_state === 'claimed' ? last : null
}

/** The key of the ticket to ask for now, or null when nothing is to be asked. */
export function nextKey(batch: Batch): string | null {
  return batch.state === 'running' && printing(batch) === null ? (batch.keys[batch.taken.length] ?? null) : null
}

export function answered(batch: Batch, taken: TicketTaken): Batch {
  return judged({ ...batch, taken: [...batch.taken, taken], problem: null })
}

/** What has become of the last ticket's slip meanwhile. */
export function looked(batch: Batch, last: TicketTaken): Batch {
  return judged({ ...batch, taken: [...batch.taken.slice(0, -1), last], problem: null })
}

function judged(batch: Batch): Batch {
  const last = batch.taken[batch.taken.length - 1]
  const bad = last?.ticket.print_state === 'failed' || last?.ticket.print_state === 'unknown'
  const all = batch.taken.length >= batch.keys.length
  const state = all && printing(batch) === null ? 'done' : bad && batch.keys.length > 1 ? 'stopped' : batch.state
  return { ...batch, state, unprinted: bad ? (last?.ticket.number ?? '') : '' }
}

export function failed(batch: Batch, problem: Words): Batch {
  return { ...batch, state: 'stopped', problem }
}

/** The person's own stop; what is on its way still comes in. */
export function halt(batch: Batch): Batch {
  return batch.state === 'running' && batch.taken.length < batch.keys.length ? { ...batch, state: 'stopped', problem: null } : batch
}

/** Goes on with the slip that was being printed, or the key that was not answered. */
export function goOn(batch: Batch): Batch {
  return batch.state === 'stopped' ? { ...batch, state: 'running', problem: null, unprinted: '' } : batch
}
