/** The short sound that says "felt it" within a tenth of a second (UX K-07); made here, so that no file is needed. */
let context: AudioContext | null = null

export function click(): void {
  try {
    context = context ?? new AudioContext()
    const tone = context.createOscillator()
    const loudness = context.createGain()
    tone.frequency.value = 1800
    loudness.gain.setValueAtTime(0.12, context.currentTime)
    loudness.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.03)
    tone.connect(loudness)
    loudness.connect(context.destination)
    tone.start()
    tone.stop(context.currentTime + 0.03)
  } catch {
    // A machine without a loudspeaker still shows the pressed key.
  }
}
