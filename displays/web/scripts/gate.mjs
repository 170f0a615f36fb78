// After a build: every page within its budget (UX 11), every script parsed by Chrome 64's grammar, every style sheet
// within its rules, no inline script, no address of another origin. Prints a table; exits 1 at the first excess.
import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import stylelint from 'stylelint'

const root = resolve(import.meta.dirname, '..')
const dist = resolve(root, 'dist')
const entries = JSON.parse(readFileSync(resolve(root, 'entries.json'), 'utf8'))
const manifest = JSON.parse(readFileSync(resolve(dist, '.vite/manifest.json'), 'utf8'))
const faults = []

const packed = (file) => gzipSync(readFileSync(resolve(dist, file)), { level: 6 }).length / 1024

/** Files that a first load needs: the chunk, what it imports, and their style sheets. */
function closure(key, found = new Set()) {
  const chunk = manifest[key]
  if (found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const css of chunk.css ?? []) found.add(css)
  for (const other of chunk.imports ?? []) closure(other, found)
  return found
}

console.log('page        js gz KB  (most)  first load gz KB  (most)')
for (const [name, budget] of Object.entries(entries)) {
  const files = [...closure(`${name}.html`)]
  const js = files.filter((file) => file.endsWith('.js')).reduce((sum, file) => sum + packed(file), 0)
  const total = files.reduce((sum, file) => sum + packed(file), 0) + packed(`${name}.html`)
  console.log(`${name.padEnd(10)} ${js.toFixed(1).padStart(9)} ${String(budget.js_kb).padStart(7)} ${total.toFixed(1).padStart(17)} ${String(budget.total_kb).padStart(7)}`)
  if (js > budget.js_kb || total > budget.total_kb) faults.push(`${name} is over its budget`)
  const html = readFileSync(resolve(dist, `${name}.html`), 'utf8')
  if (/<script(?![^>]*\bsrc=)|<style|\son\w+=|javascript:/i.test(html)) faults.push(`${name}.html has something inline`)
  if (/(src|href)="(?!\/static\/)/i.test(html)) faults.push(`${name}.html loads something from outside /static/`)
}

const sheets = []
for (const file of readdirSync(resolve(dist, 'assets'))) {
  const path = resolve(dist, 'assets', file)
  if (file.endsWith('.css')) sheets.push(path)
  if (!file.endsWith('.js')) continue
  const text = readFileSync(path, 'utf8')
  try {
    // ES2018, with the module syntax that Chrome 61 to 64 brought before its standard year.
    parse(text, { ecmaVersion: 2018, sourceType: 'module' })
  } catch (error) {
    const dynamic = /import\(|import\.meta/.test(text)
    try {
      if (!dynamic) throw error
      parse(text, { ecmaVersion: 2020, sourceType: 'module' })
      if (/[^?]\?\.[a-zA-Z[(]|\?\?[^=]/.test(text.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, ''))) throw error
    } catch {
      faults.push(`${file} is not what Chrome 64 reads: ${error.message}`)
    }
  }
  if (text.includes('no fixture ')) faults.push(`${file} holds recorded documents`)
  if (/\beval\(|new Function\(/.test(text)) faults.push(`${file} evaluates text`)
}
const linted = await stylelint.lint({ files: sheets, configFile: resolve(root, 'stylelint.config.js') })
for (const result of linted.results) for (const warning of result.warnings) if (warning.rule !== 'declaration-block-no-duplicate-properties') faults.push(`${result.source}: ${warning.text}`)

for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
