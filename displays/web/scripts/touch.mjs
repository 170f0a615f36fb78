// UX K-03, K-04, K-05 measured in Chromium: every interactive element and every name, on every page of the kiosk, in every mode
// and on the panels of `PANELS`; prints each fault and exits 1. One page is opened, its states are set from within.
// It is the kiosk as it is built for halls, into a folder that is gone afterwards, but for the recorded documents: this build keeps them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'

const root = resolve(import.meta.dirname, '..')
/** Tall, lying, and a tall one at 125 %. */
const PANELS = [[1080, 1920], [1920, 1080], [864, 1536]]
const FIXTURES = ['every', 'every-nopaper', 'closed', 'emergency']
const only = process.argv.slice(2)

const outDir = mkdtempSync(join(tmpdir(), 'kiosk-'))
process.on('exit', () => rmSync(outDir, { recursive: true, force: true }))
const kioskOnly = { name: 'kiosk-only', config: (config) => { config.build.rollupOptions.input = resolve(root, 'kiosk.html') } }
const shared = { root, configFile: resolve(root, 'vite.config.ts'), logLevel: 'error', build: { outDir } }
await build({ ...shared, plugins: [kioskOnly], define: { 'import.meta.env.DEV': 'true' } })
const server = await preview({ ...shared, preview: { port: 0, host: '127.0.0.1' } })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

/** In the page: the states of a fixture, each shown and measured. */
async function measure({ fixture, only }) {
  const kiosk = window.kiosk
  const wide = innerWidth > innerHeight
  const u = Math.min(innerWidth / (wide ? 1920 : 1080), innerHeight / (wide ? 1080 : 1920))
  const words = (zh, en) => ({ zh, en })
  const card = { token: 'c', number: 'A017', passed: false }
  const choices = [['a', '国有建设用地使用权及房屋所有权转移登记', 'Transfer of state land use right and house ownership'], ['b', '社保卡', 'Social security card']].map(([id, zh, en]) => ({ id, kind: 'matter', name: words(zh, en) }))
  const taken = fixture.startsWith('every') ? window.kioskTaken : null
  const shownAt = performance.now() + 1e9
  const result = { name: 'result', taken, title: choices[0].name, shownAt, paper: true, back: false, reprint: 'no' }
  const pages = {
    home: {}, 'home-2': { sheet: 1 }, 'home-3': { sheet: 2 }, 'home-4': { sheet: 3 }, 'home-9': { sheet: 9 },
    'home-card': { card }, 'home-priority': { priority: 'military' }, 'home-all': { card, priority: 'military', basket: choices },
    group: { page: { name: 'group', id: 'property', title: words('不动产登记', 'Real estate') } },
    'group-2': { page: { name: 'group', id: 'property', title: words('不动产登记', 'Real estate') }, sheet: 1, basket: choices },
    'group-long': { page: { name: 'group', id: 'transport', title: words('交通运输', 'Transport') } },
    bundles: { page: { name: 'group', id: 'bundles', title: words('高效办成一件事', 'One visit for everything') } },
    search: { page: { name: 'search', letters: '' } }, 'search-2': { page: { name: 'search', letters: 'S' }, sheet: 1 },
    priority: { page: { name: 'priority' } }, slip: { page: { name: 'slip' } },
    missed: { page: { name: 'missed', number: '0123', code: '', at: 'number' } }, 'missed-code': { page: { name: 'missed', number: '0123', code: '12', at: 'code' } },
    basket: { page: { name: 'basket' }, basket: choices }, 'basket-one': { page: { name: 'basket' }, basket: choices.slice(0, 1) }, 'basket-full': { page: { name: 'basket' }, basket: [1, 2, 3, 4, 5].map((id) => ({ ...choices[0], id: String(id) })) },
    ...(taken && { result: { page: result }, 'result-screen': { page: { ...result, paper: false } }, 'result-voice': { page: { ...result, title: choices[1].name } } }),
    refused: { page: { name: 'refused', text: words('现在没有窗口办这件事，请到咨询导办台，工作人员会帮您。已登记您的需求。', 'No open window serves this now. Please see the guide desk; your need has been recorded.'), again: null, slip: false, shownAt } },
    help: { page: { name: 'help', state: 'told', shownAt } }, still: { sheet: 1, askedAt: shownAt },
    pin: { page: { name: 'pin' } }, staff: { page: { name: 'staff' } },
  }
  const shown = fixture === 'every' && innerWidth !== 864 ? Object.keys(pages) : innerWidth === 864 ? ['home', 'group'] : fixture === 'every-nopaper' ? ['home', 'home-3', 'home-all'] : ['home']
  const clean = kiosk.session
  const faults = []
  let measured = 0
  /** Nothing is painted: sizes are told at once (see `tellSizes`). */
  const settle = async () => {
    await new Promise((done) => setTimeout(done))
    window.tellSizes()
    await Promise.resolve()
  }
  const at = (box) => ({ left: box.left, top: box.top, right: box.right, bottom: box.bottom, width: box.right - box.left, height: box.bottom - box.top })
  const said = (element) => `${element.className || element.tagName} “${(element.getAttribute('aria-label') ?? element.innerText ?? '').replace(/\s+/g, ' ').slice(0, 24)}”`
  const px = (value) => Math.round(value / u)

  function look(tell) {
    const targets = []
    for (const element of document.querySelectorAll('#app button, #app a, #app input, .corner')) {
      const box = at(element.getBoundingClientRect())
      const top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2)
      if (box.width === 0 || top === null || !(element.contains(top) || top.contains(element))) continue
      const least = element.matches('.link') ? 60 : 96
      if (box.width < (least - 0.6) * u || box.height < (least - 0.6) * u) tell(`K-04: ${said(element)} is ${px(box.width)}×${px(box.height)}`)
      // 低位模式: the lower 45 % of a tall panel; the way to the staff's menu is no citizen's.
      if (!wide && document.documentElement.classList.contains('low') && !element.matches('.corner') && box.top < innerHeight * 0.55 - 1) tell(`K-05: ${said(element)} begins at ${Math.round(box.top / innerHeight * 100)} % of the height`)
      const edge = Math.min(box.left, box.top, innerWidth - box.right, innerHeight - box.bottom)
      if (edge < 23.4 * u) tell(`K-04: ${said(element)} is ${px(edge)} px from the bezel`)
      for (const [other, there] of targets) {
        const apart = Math.hypot(Math.max(0, there.left - box.right, box.left - there.right), Math.max(0, there.top - box.bottom, box.top - there.bottom))
        if (apart < 15.4 * u) tell(`K-04: ${said(element)} is ${px(apart)} px from ${said(other)}`)
      }
      targets.push([element, box])
    }
    for (const name of document.querySelectorAll('.tile .name, .hit .name, .chosen .name, .res .head b')) {
      if (parseFloat(getComputedStyle(name).fontSize) < 39.9 * u) tell(`K-03: ${said(name)} is ${px(parseFloat(getComputedStyle(name).fontSize))} px`)
      if (name.textContent.replace('…', '').length < 4 && name.textContent.includes('…')) tell(`K-03: nothing is left of ${said(name)}`)
    }
    for (const name of document.querySelectorAll('.english .hit .sub')) {
      const hanzi = name.textContent.replace(/[^\u2e80-\uffff]/g, '').length
      if (name.textContent.includes('…') && hanzi < 6) tell(`K-03: too little is left of ${said(name)}`)
    }
    for (const tile of document.querySelectorAll('.tiles .tile, .hit')) {
      const parts = tile.matches('.hit.shut') ? ['.name', '.sub', '.go'] : tile.matches('.hit') ? ['.name', '.wait'] : ['.name', '.sub', '.wait']
      for (const part of parts) if (!tile.querySelector(part)?.textContent.trim()) tell(`K-03: ${said(tile)} has no ${part}`)
      if (tile.matches('.shut') && tile.querySelector('.sub').textContent.includes('…')) tell(`K-03: the reason of ${said(tile)} is shortened`)
    }
    for (const element of document.querySelectorAll('#app *')) {
      const style = getComputedStyle(element)
      if (element.closest('svg') !== null || element.matches('.fitted, .num') || style.display === 'inline' || element.clientWidth === 0) continue
      if (element.scrollWidth > element.clientWidth + 1 && !element.matches('.screen') && element.querySelector('.fitted') === null) tell(`K-04: ${said(element)} is cut at its side`)
      if (element.matches('.tile, .take, .btn, .work, .band, .screen') && element.scrollHeight > element.clientHeight + 3) tell(`K-04: ${said(element)} is cut below by ${px(element.scrollHeight - element.clientHeight)}`)
      const box = element.getBoundingClientRect()
      if (box.bottom > innerHeight + 1 || box.right > innerWidth + 1) tell(`K-04: ${said(element)} is over the edge`)
    }
    for (const tile of document.querySelectorAll('.tile')) {
      const icon = tile.querySelector('.ic').getBoundingClientRect()
      const texts = document.createTreeWalker(tile, NodeFilter.SHOW_TEXT)
      const range = document.createRange()
      while (icon.width > 0 && texts.nextNode()) {
        range.selectNodeContents(texts.currentNode)
        // A line's box is higher than its letters.
        for (const line of range.getClientRects()) if (line.right > icon.left + 1 && line.left < icon.right - 1 && line.bottom - 8 * u > icon.top && line.top + 8 * u < icon.bottom) tell(`the icon of ${said(tile)} lies on its text`)
      }
    }
    return targets.length
  }

  const sets = [[]]
  for (const mode of wide ? ['elder', 'english'] : ['low', 'elder', 'english']) sets.push(...sets.map((set) => [...set, mode]))
  for (const name of shown.filter((each) => only.length === 0 || only.includes(each))) {
    // What fits in every pair of modes is measured where names and rows are; elsewhere each mode, and all at once.
    const few = sets.filter((set) => set.length < 2 || set.length === sets[sets.length - 1].length)
    for (const set of name === 'home' ? [...sets, ['contrast']] : /^(home|group|bundles|search)/.test(name) ? sets : few) {
      kiosk.session = { ...clean, touchedAt: shownAt, ...pages[name], modes: { low: false, elder: false, contrast: false, voice: name === 'result-voice', english: false, ...Object.fromEntries(set.map((mode) => [mode, true])) } }
      for (let left = 3; left > 0; left -= 1) await settle()
      for (let left = 200; left > 0 && document.querySelector('.fill > .none, .found') !== null && /正在查|Looking/.test(document.querySelector('.work').textContent); left -= 1) await settle()
      await settle()
      const label = `${fixture} ${innerWidth}×${innerHeight} ${name} ${set.join('+') || 'plain'}`
      const told = new Set()
      const count = look((fault) => told.add(fault))
      measured += count
      if (count === 0 && fixture !== 'emergency') told.add('nothing to measure')
      for (const fault of told) faults.push(`${label}: ${fault}`)
    }
  }
  kiosk.session = clean
  return { faults, measured }
}

let measured = 0
const faults = []
const context = await browser.newContext()
await context.addInitScript(() => {
  const later = window.setTimeout
  window.setTimeout = (run, ms, ...rest) => later(run, ms === 200 ? 0 : ms, ...rest) // the answers of a fixture at once
  // The browser tells sizes once a painted frame; painting a thousand of them would take minutes.
  const all = new Set()
  window.ResizeObserver = class {
    constructor(tell) {
      this.tell = tell
      this.boxes = new Set()
      all.add(this)
    }
    observe(box) { this.boxes.add(box) }
    unobserve(box) { this.boxes.delete(box) }
    disconnect() { all.delete(this) }
  }
  window.tellSizes = () => all.forEach((one) => one.boxes.size > 0 && one.tell([...one.boxes].map((target) => ({ target }))))
})
await Promise.all(FIXTURES.map(async (fixture) => {
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`${fixture}: ${error.message}`))
  await page.setViewportSize({ width: PANELS[0][0], height: PANELS[0][1] })
  await page.goto(`${server.resolvedUrls.local[0]}kiosk.html?fixture=${fixture}`, { timeout: 60_000 })
  await page.waitForFunction(() => window.kiosk?.documents.menu !== undefined && window.kiosk.rare, null, { timeout: 60_000 })
  for (const [width, height] of PANELS) {
    await page.setViewportSize({ width, height })
    await page.waitForFunction((wide) => document.documentElement.classList.contains('kwide') === wide, width > height, { timeout: 60_000 })
    const found = await page.evaluate(measure, { fixture, only })
    measured += found.measured
    faults.push(...found.faults)
  }
  await page.close()
}))
await browser.close()
await server.close()
for (const fault of faults) console.error(fault)
console.log(`${measured} targets, ${faults.length} faults`)
process.exit(faults.length === 0 && measured > 0 ? 0 : 1)
