/** Issuing several tickets in a row: each its own request with its own key, in order, stopping at the first that fails. Pure. */
import type { TicketTaken, Words } from '../core/wire'

export const BATCH_MOST = 20

export interface Batch {
  /** One key a ticket, made when the key was pressed: going on after a lost answer can issue none twice (UX X-12). */
  keys: string[]
  taken: TicketTaken[]
  state: 'running' | 'stopped' | 'done'
  problem: Words | null
}

export function begin(keys: string[]): Batch {
  return { keys: keys.slice(0, BATCH_MOST), taken: [], state: keys.length === 0 ? 'done' : 'running', problem: null }
}

/** The key of the ticket to ask for now, or null when nothing is to be asked. */
export function nextKey(batch: Batch): string | null {
  return batch.state === 'running' ? (batch.keys[batch.taken.length] ?? null) : null
}

export function answered(batch: Batch, taken: TicketTaken): Batch {
  const all = [...batch.taken, taken]
  const done = all.length >= batch.keys.length
  return { ...batch, taken: all, state: done ? 'done' : batch.state, problem: null }
}

export function failed(batch: Batch, problem: Words): Batch {
  return { ...batch, state: 'stopped', problem }
}

/** The person's own stop; what is on its way still comes in. */
export function halt(batch: Batch): Batch {
  return batch.state === 'running' ? { ...batch, state: 'stopped', problem: null } : batch
}

/** Goes on with the key that was not answered. */
export function goOn(batch: Batch): Batch {
  return batch.state === 'stopped' && batch.taken.length < batch.keys.length ? { ...batch, state: 'running', problem: null } : batch
}
