/** Which lines a new configuration takes away and adds, as a person reads them before it is applied (UX S-05). Pure. */
export interface Change {
  sign: '-' | '+'
  line: number
  text: string
}

const LOOK_AHEAD = 200

/** Lines of `before` and `after` that differ, in order; a block of up to 200 changed lines is found again after it. */
export function changesBetween(before: string, after: string): Change[] {
  const old = before.replace(/\r\n?/g, '\n').split('\n')
  const now = after.replace(/\r\n?/g, '\n').split('\n')
  const changes: Change[] = []
  let a = 0
  let b = 0
  while (a < old.length || b < now.length) {
    if (a < old.length && b < now.length && old[a] === now[b]) {
      a += 1
      b += 1
      continue
    }
    let [skipOld, skipNow] = nearest(old, now, a, b)
    while (skipOld > 0 && skipNow > 0 && old[a + skipOld - 1] === now[b + skipNow - 1]) {
      skipOld -= 1
      skipNow -= 1
    }
    for (let i = 0; i < skipOld; i += 1) changes.push({ sign: '-', line: a + i + 1, text: old[a + i] })
    for (let i = 0; i < skipNow; i += 1) changes.push({ sign: '+', line: b + i + 1, text: now[b + i] })
    a += skipOld
    b += skipNow
  }
  return changes
}

/** The smallest steps in both texts after which a line that is not empty is the same again. */
function nearest(old: string[], now: string[], a: number, b: number): [number, number] {
  for (let steps = 1; steps <= LOOK_AHEAD; steps += 1) {
    for (let i = 0; i <= steps; i += 1) {
      const left = a + i
      const right = b + steps - i
      if (left === old.length && right === now.length) return [i, steps - i]
      if (left < old.length && right < now.length && old[left] === now[right] && old[left].trim() !== '') return [i, steps - i]
    }
  }
  return [Math.min(LOOK_AHEAD, old.length - a), Math.min(LOOK_AHEAD, now.length - b)]
}
