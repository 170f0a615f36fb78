/** The short sound that says "felt it" within a tenth of a second (UX K-07), and how loud this machine is (UX K-16). */
import { ref } from 'vue'

const KEY = 'yichuang.volume'
/** Never silent: who asked for the voice would stand there without it. */
export const LEAST = 20
export const MOST = 100
export const STEP = 20

function kept(): number {
  try {
    const found = Number(localStorage.getItem(KEY))
    return found >= LEAST && found <= MOST ? found : MOST
  } catch {
    return MOST
  }
}

/** Per cent of what the machine's own loudspeaker gives; kept on the device. */
export const volume = ref(kept())

export function setVolume(to: number): void {
  volume.value = Math.max(LEAST, Math.min(MOST, to))
  try {
    localStorage.setItem(KEY, String(volume.value))
  } catch {
    // Storage is off: it holds until the next start.
  }
}

let context: AudioContext | null = null

export function click(): void {
  try {
    context = context ?? new AudioContext()
    const tone = context.createOscillator()
    const loudness = context.createGain()
    tone.frequency.value = 1800
    loudness.gain.setValueAtTime(0.0012 * volume.value, context.currentTime)
    loudness.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.03)
    tone.connect(loudness)
    loudness.connect(context.destination)
    tone.start()
    tone.stop(context.currentTime + 0.03)
  } catch {
    // A machine without a loudspeaker still shows the pressed key.
  }
}
