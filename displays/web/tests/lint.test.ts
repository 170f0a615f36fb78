/** UX 13.8: "CSS `inset`/flex-gap on TV = black screen → stylelint": the project's own rules refuse what Chrome 64 does not know. */
import { resolve } from 'node:path'
import stylelint from 'stylelint'
import { describe, expect, it } from 'vitest'

async function refused(code: string, codeFilename: string): Promise<string[]> {
  const linted = await stylelint.lint({ code, codeFilename: resolve(import.meta.dirname, '../src/hall', codeFilename), configFile: resolve(import.meta.dirname, '../stylelint.config.js') })
  return linted.results.flatMap(({ warnings }) => warnings.map(({ line, rule }) => `${line} ${rule}`)).sort()
}

const BAD = `.cover { position: fixed; inset: 0; }
.row { display: flex; gap: 8px; }
.plate { aspect-ratio: 16 / 9; }
.row:is(.on, .off) { color: #fff; }
.row { height: 100dvh; }
.row { width: min(10px, 20px); }
`
const GOOD = `.cover { position: fixed; top: 0; right: 0; bottom: 0; left: 0; }
.row { display: flex; } .row > * + * { margin-left: 8px; }
.field { display: grid; grid-gap: 8px; }
`

describe('UX 13.8 styles that a TV shows as a black screen', () => {
  it('are refused in a style sheet', async () => {
    expect(await refused(BAD, 'snippet.css')).toEqual([
      '1 property-disallowed-list', '2 property-disallowed-list', '3 property-disallowed-list', '4 selector-pseudo-class-disallowed-list',
      '5 unit-disallowed-list', '6 function-disallowed-list',
    ])
  })
  it('are refused in a component', async () => {
    expect(await refused(`<template><p /></template>\n<style>\n.cover { inset: 0; }\n</style>\n`, 'Snippet.vue')).toEqual(['3 property-disallowed-list'])
  })
  it('have what to write instead, which passes', async () => {
    expect(await refused(GOOD, 'snippet.css')).toEqual([])
  })
})
