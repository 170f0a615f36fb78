/** Order of documents: which version is newer, and the keyed map of one view that only ever moves forward. Pure. */
import type { Version } from './wire'

/** Negative when a is older than b, 0 when equal, positive when newer: epoch, then seq, then n. */
export function compareVersions(a: Version, b: Version): number {
  return a.epoch - b.epoch || a.seq - b.seq || a.n - b.n
}

export type Documents = Record<string, unknown>

/** The keyed map of one subscription. A message that is not newer than what a key holds changes nothing. */
export class ViewMap {
  documents: Documents = {}
  private versions: Record<string, Version> = {}
  private newest: Version | null = null

  /** Replaces the whole map; false when an older writer or an older snapshot speaks. */
  snapshot(version: Version, documents: Documents): boolean {
    if (this.newest !== null && compareVersions(version, this.newest) < 0) return false
    this.documents = { ...documents }
    this.versions = {}
    for (const key of Object.keys(documents)) this.versions[key] = version
    this.newest = version
    return true
  }

  /** Replaces the keys that changed (null removes one); false when nothing was newer or no snapshot came first. */
  change(version: Version, documents: Documents): boolean {
    if (this.newest === null || version.epoch < this.newest.epoch) return false
    let changed = false
    for (const key of Object.keys(documents)) {
      const held = this.versions[key]
      if (held !== undefined && compareVersions(version, held) <= 0) continue
      this.versions[key] = version
      if (documents[key] === null) delete this.documents[key]
      else this.documents[key] = documents[key]
      changed = true
    }
    if (compareVersions(version, this.newest) > 0) this.newest = version
    return changed
  }
}
