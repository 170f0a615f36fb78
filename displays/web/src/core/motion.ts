/** Whether anything may move (UX X-04): the hall's own switch counts like the wish of whoever looks; base.css obeys both. */

/** What the hall's document says now: every page with a line has it, and learns of a change without a reload. */
export function allowMotion(allowed: boolean): void {
  document.documentElement.dataset.motion = allowed ? 'on' : 'off'
}

/** For what scripts move. */
export function isStill(): boolean {
  return document.documentElement.dataset.motion === 'off' || matchMedia('(prefers-reduced-motion: reduce)').matches
}
