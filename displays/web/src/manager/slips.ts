/** Slips for those whom the day does not reach, one print after another: the next waits until the last one's paper is known (RULES 34). */
import { computed, onBeforeUnmount, reactive } from 'vue'
import type { DeviceDocument, DayReply, PrintState, TicketTaken, Unreached } from '../core/wire'
import type { Manager } from './useManager'

const LOOK_MS = 700
/** A print job is dropped after 10 s (DESIGN law 7); by then its outcome is known. */
const PATIENCE_MS = 20_000

/** What became of a slip: none was asked for, or what its print came to. */
export type Outcome = 'none' | Exclude<PrintState, 'none'>

export function outcomeOf(line: Pick<Unreached, 'slips' | 'print_state'>): Outcome {
  return line.slips === 0 || line.print_state === 'none' ? 'none' : line.print_state
}

/** Whether a printer may be asked: paper may come out of it. */
export function printsNow(device: Pick<DeviceDocument, 'kind' | 'state' | 'printer'>): boolean {
  return device.kind === 'printer' && (device.state === 'online' || device.state === 'degraded') && (device.printer === 'ok' || device.printer === 'near_end')
}

export function useSlips(at: Manager, reload: () => Promise<DayReply | null>) {
  const run = reactive({ on: false, of: 0, done: 0, halt: false, at: '', failed: '' })
  const printers = computed(() => (at.view.value.devices?.devices ?? []).filter(printsNow))
  let alive = true
  onBeforeUnmount(() => {
    alive = false
  })

  async function settled(id: string): Promise<PrintState> {
    const ends = performance.now() + PATIENCE_MS
    for (;;) {
      const taken = await at.ask<TicketTaken>(['tickets', id])
      if (taken !== null && taken.ticket.print_state !== 'claimed') return taken.ticket.print_state
      if (performance.now() > ends || !alive) return 'unknown'
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  /** Stops at the first slip that does not come out: the rest would not either, and nobody is turned away without paper. */
  async function print(lines: Unreached[], printer: string): Promise<void> {
    if (run.on || lines.length === 0) return
    Object.assign(run, { on: true, of: lines.length, done: 0, halt: false, failed: '' })
    for (const line of lines) {
      if (run.halt || !alive) break
      run.at = line.number
      const taken = await at.ask<TicketTaken>(['tickets', line.id, 'slip'], { body: { printer } })
      const state = taken === null ? 'failed' : taken.print_job === '' ? 'none' : await settled(line.id)
      await reload()
      if (state !== 'printed') {
        run.failed = line.number
        break
      }
      run.done += 1
    }
    run.on = false
  }

  return { run, printers, print }
}
