/** Tells the hand and the ear that a number is called (UX P-04): vibration where there is one, sound after one touch. */

let context: AudioContext | null = null
let touched = false

/** Browsers let a page sound only after a touch: the first one anywhere on the page opens it. */
export function armSound(): void {
  const arm = () => {
    touched = true
    try {
      context = context ?? new AudioContext()
      void context.resume()
    } catch {
      context = null
    }
  }
  document.addEventListener('click', arm, { once: true })
}

/** Three short tones and three short pushes; either may be missing on this phone. */
export function alertCall(): void {
  // Browsers refuse both, and complain, before the first touch.
  if (!touched) return
  if ('vibrate' in navigator) navigator.vibrate([400, 200, 400, 200, 400])
  if (context === null || context.state !== 'running') return
  for (let tone = 0; tone < 3; tone += 1) {
    const oscillator = context.createOscillator()
    const volume = context.createGain()
    const from = context.currentTime + tone * 0.6
    oscillator.frequency.value = 880
    volume.gain.setValueAtTime(0.4, from)
    volume.gain.setValueAtTime(0, from + 0.4)
    oscillator.connect(volume)
    volume.connect(context.destination)
    oscillator.start(from)
    oscillator.stop(from + 0.45)
  }
}
