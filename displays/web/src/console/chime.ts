/** One soft tone when somebody comes to an empty queue: off until the clerk turns it on (UX C-09). */
import { ref } from 'vue'
import { recall, remember } from '../staff/store'

export const chime = ref(recall('chime') === 'on')
let context: AudioContext | null = null

export function setChime(on: boolean): void {
  chime.value = on
  remember('chime', on ? 'on' : 'off')
  if (on) sound()
}

export function sound(): void {
  if (!chime.value) return
  context = context ?? new AudioContext()
  const tone = context.createOscillator()
  const gain = context.createGain()
  tone.frequency.value = 660
  gain.gain.setValueAtTime(0.08, context.currentTime)
  gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.4)
  tone.connect(gain)
  gain.connect(context.destination)
  tone.start()
  tone.stop(context.currentTime + 0.4)
}
