/** The planes of a picture for a board of dots: Base64, row by row, the left dot the highest bit, rows ending on a byte. Pure. */

/** Whether the dot at (x, y) is lit; nothing is where the plane ends early. */
export function bitsOf(plane: string, width: number): (x: number, y: number) => boolean {
  const bytes = atob(plane)
  const row = Math.ceil(width / 8)
  return (x, y) => {
    const at = y * row + (x >> 3)
    return at < bytes.length && ((bytes.charCodeAt(at) >> (7 - (x & 7))) & 1) === 1
  }
}
