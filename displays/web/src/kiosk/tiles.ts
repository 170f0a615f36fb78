/** Names and lists that fit their place by rule (UX K-03, K-04): nothing on a tile is ever cut off, and as many tiles stand as fit. */
import { onBeforeUnmount, onMounted, ref, type Directive, type Ref } from 'vue'

/** What a tile says: `sub` is a list whose last entries may go, another name of it, or a reason that stays as it is. */
export interface Said {
  name: string
  sub: string
  kind: 'list' | 'name' | 'reason'
  /** How long what it says of the wait is, so that another figure alone measures nothing. */
  wait?: number
}

/** The first `keep` entries of a list. */
export function listed(text: string, keep: number): string {
  return (text.match(/[^、，,;；]+[、，,;；]?\s*/g) ?? []).slice(0, keep).join('').replace(/[、，,;；\s]+$/, '')
}

/** `keep` hanzi or words of a name, the middle left out: what it begins with and what it is about stand at its ends. */
export function middled(text: string, keep: number): string {
  const parts = text.match(/[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*/g) ?? []
  if (keep >= parts.length) return text
  const tail = Math.floor(keep * 0.4)
  return `${parts.slice(0, keep - tail).join('').trim()}…${tail === 0 ? '' : parts.slice(-tail).join('')}`
}

/** So much of a text tells what it is: hanzi, or half as many words. */
function enough(text: string, hanzi: number): number {
  return /[\u2e80-\uffff]/.test(text) ? hanzi : Math.ceil(hanzi / 2)
}

/** How a name that is too long for its place is made to fit; `spills` tells whether it still does not. Pure but for its arguments. */
export function fitted(said: Said, spills: (name: string, sub: string) => boolean): [string, string] {
  /** The longest version that fits, at least `least`. */
  const longest = (most: number, least: number, make: (keep: number) => [string, string]): [string, string] => {
    let [low, high] = [least, Math.max(least, most)]
    while (low < high) {
      const keep = Math.ceil((low + high) / 2)
      if (spills(...make(keep))) high = keep - 1
      else low = keep
    }
    return make(low)
  }
  let [name, sub] = [said.name, said.sub]
  if (said.kind === 'list' && spills(name, sub)) [name, sub] = longest(sub.split(/[、，,;；]/).length, 1, (keep) => [said.name, listed(said.sub, keep)])
  const list = sub
  const shorten = (least: number) => longest(said.name.length, enough(said.name, least), (keep) => [middled(said.name, keep), sub])
  // In turns, so that neither is left with nothing while the other stands whole.
  for (const least of [12, 8, 6, 3]) {
    if (spills(name, sub) && said.kind !== 'reason') [name, sub] = longest(list.length, enough(list, least), (keep) => [name, middled(list, keep)])
    if (spills(name, sub)) [name, sub] = shorten(least)
  }
  return name === said.name ? [name, sub] : shorten(3) // what room there is after all
}

function fit(box: HTMLElement, said: Said): void {
  const [name, sub] = ['.name', '.sub'].map((part) => box.querySelector(part) as HTMLElement)
  let wait = box.querySelector('.tile > .wait')
  const put = (texts: [string, string]) => [name.textContent, sub.textContent] = texts
  const spills = (...texts: [string, string]) => {
    put(texts)
    // A letter's box is a little higher than its line.
    return (wait !== null && wait.scrollWidth > wait.clientWidth) || box.scrollHeight > box.clientHeight + 3 || box.scrollWidth > box.clientWidth + 3
  }
  box.classList.remove('snug')
  if (!spills(said.name, said.sub)) return
  box.classList.add('snug')
  wait = null // it wraps now
  put(fitted(said, spills))
}

const held = new WeakMap<Element, Said>()
/** Made with the first tile: sizes change with the mode, a banner, the panel. */
let sizes: ResizeObserver | null = null

/** On the box that holds a `.name` and a `.sub`; it owns their texts. */
export const vSays: Directive<HTMLElement, Said> = {
  mounted(box, { value }) {
    sizes = sizes ?? new ResizeObserver((changed) => {
      for (const { target } of changed) fit(target as HTMLElement, held.get(target) as Said)
    })
    held.set(box, value)
    fit(box, value)
    sizes.observe(box)
  },
  updated(box, { value }) {
    const before = held.get(box) as Said
    held.set(box, value)
    const wait = (box.querySelector('.wait') ?? box).textContent?.length ?? 0
    value.wait = wait
    if (value.name === before.name && value.sub === before.sub && value.kind === before.kind && wait === before.wait) return
    fit(box, value)
  },
  beforeUnmount(box) {
    sizes?.unobserve(box)
  },
}

/** How many rows of at least `grid-auto-rows` fit into a box; 0 before it was measured. */
export function useRows(box: Ref<HTMLElement | null>): Ref<number> {
  const rows = ref(0)
  const measured = new ResizeObserver(() => {
    const style = getComputedStyle(box.value as HTMLElement)
    const gap = parseFloat(style.gridRowGap)
    rows.value = Math.max(1, Math.floor(((box.value as HTMLElement).clientHeight + gap) / (parseFloat(style.gridAutoRows) + gap)))
  })
  onMounted(() => measured.observe(box.value as HTMLElement))
  onBeforeUnmount(() => measured.disconnect())
  return rows
}
