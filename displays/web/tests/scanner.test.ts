import { describe, expect, it } from 'vitest'
import { GAP_MS, Scanner, ticketToken } from '../src/core/scanner'

const TOKEN = 't0123456789abcdef.AbC-_defghijklmnopqrst'

function typed(text: string, gapMs: number): string | null {
  const scanner = new Scanner()
  let at = 1000
  let found: string | null = null
  for (const key of [...text, 'Enter']) found = scanner.feed(key, (at += gapMs))
  return found
}

describe('RULES 34: a slip is scanned', () => {
  it('hears what a scanner types and not what a person types', () => {
    expect(typed(`http://hall/t/${TOKEN}`, 5)).toBe(`http://hall/t/${TOKEN}`)
    expect(typed(`http://hall/t/${TOKEN}`, GAP_MS + 1)).toBeNull()
    expect(typed('A012', 5)).toBeNull()
  })
  it('begins anew after a pause and after Enter, and is not confused by Shift', () => {
    const scanner = new Scanner()
    for (const key of 'half') scanner.feed(key, 0)
    let at = 500
    for (const key of ['Shift', ...TOKEN]) scanner.feed(key, (at += 4))
    expect(scanner.feed('Enter', at + 4)).toBe(TOKEN)
    expect(scanner.feed('Enter', at + 8)).toBeNull()
  })
  it('knows a ticket by its token, alone or in its address', () => {
    expect(ticketToken(TOKEN)).toBe(TOKEN)
    expect(ticketToken(`https://hall.example/t/${TOKEN}\t`)).toBe(TOKEN)
    expect(ticketToken('https://hall.example/rate/s0123456789abcdef.AbC-_defghijklmnopqrst')).toBe('')
    expect(ticketToken('https://hall.local:8443/t/t0a.b?lang=en')).toBe('t0a.b')
    for (const other of ['6901234567892', 'http://hall/t/', '']) expect(ticketToken(other)).toBe('')
  })
})
